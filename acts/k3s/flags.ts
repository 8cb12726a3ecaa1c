import { createHash } from "node:crypto";
import type { SshConnection } from "../../ssh/connection.ts";
import { type ActContext, ActError, type Progress } from "../act.ts";
import { endpointNames } from "../endpointAddress.ts";
import { handOverLeadership } from "../handOverLeadership.ts";
import { healthyMembers } from "../healthyMembers.ts";
import { withLease } from "../lease.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { drainServer } from "../loadBalancers.ts";
import { runLocked } from "../machineLock.ts";
import { readNode } from "../nodes.ts";
import type { ControlPlaneRequest, MembershipRequest } from "../request.ts";
import { configDifferences, refuseElsewhere, refuseOverruled } from "./configDifferences.ts";
import { effectiveConfig, type FoundConfig, normalise, readConfig } from "./foundConfig.ts";
import { guardReturn } from "./returnGuard.ts";
import { configPath, joinUrl, renderServerConfig, type Way } from "./serverConfig.ts";

/**
 * Adopting restarts nothing, so a server whose configuration is not that of the config cannot be adopted: what it runs
 * with would be lost at the conversion, and servers that join would run with something else.
 *
 * @throws ActError naming each flag that differs
 */
export async function refuseOtherConfig(
  cluster: LiveCluster,
  { flags, version }: Pick<ControlPlaneRequest, "flags" | "version">,
): Promise<void> {
  const { server, connection } = cluster;
  const found = await readConfig(connection);
  refuseElsewhere(found, server.name);
  if (found.version !== version) {
    throw new ActError(
      `${server.name} runs k3s ${found.version}, the config says ${version}`,
      "servers of another version would join it, and changing the version is an upgrade of its own",
      `set triad:version to ${found.version}`,
    );
  }
  if ((await readNode(cluster, server.nodeName)) === undefined) {
    throw new ActError(
      `the cluster has no Node ${server.nodeName}`,
      `${server.name} would register a second Node beside the one that it has`,
      `set triad:machines.${server.name}.nodeName to the name that kubectl get nodes shows`,
    );
  }
  const differences = configDifferences(found, flags);
  if (differences.length === 0) return;
  const lines = differences.map(
    ({ seen, critical }) =>
      `    ${seen}${critical ? " (k3s lets no server join that differs in it)" : ""}`,
  );
  throw new ActError(
    `the configuration of ${server.name} is not that of the config:\n${lines.join("\n")}`,
    "a server that joins would run with other flags than this one, and adopting restarts nothing",
    "say what it runs with under triad:k3s.config (networks: triad:podCidr, triad:serviceCidr; kube-apiserver-arg: triad:apiServer; etcd-arg: triad:etcd; snapshots: triad:k3s.snapshots); what is new can be added once the cluster is adopted, and then one server restarts after the other",
  );
}

/** A server that was found gets what one that joins has from the start. On create nothing of it restarts. */
export async function adjustK3s(
  cluster: LiveCluster,
  connection: SshConnection,
  request: MembershipRequest,
  { verb, progress }: ActContext,
): Promise<void> {
  const found = await readConfig(connection);
  if (found.datastore === "etcd") await guardReturn(connection, request.endpoint);
  if (verb === "update") {
    await ensureConfig(cluster, connection, request, progress);
    return;
  }
  const { machine, endpoint, flags } = request;
  for (const { seen } of configDifferences(found, flags)) {
    progress(`warning: ${machine.name}: ${seen}; it comes with the next change of the flags`);
  }
  const absent = absentNames(found, request);
  if (absent.length > 0) {
    progress(
      `warning: the certificate of ${machine.name} does not name ${absent.join(", ")} yet: clients that check it cannot use ${joinUrl(endpoint)} ${found.datastore === "sqlite" ? "before the conversion to etcd" : "before the next change of the flags"}`,
    );
  }
}

/**
 * Brings one server's configuration to that of the config: alone, out of the load balancers, put back if it does not
 * come up.
 */
export async function ensureConfig(
  cluster: LiveCluster,
  connection: SshConnection,
  request: MembershipRequest,
  progress: Progress,
): Promise<void> {
  const { machine, auditPolicy } = request;
  const found = await readConfig(connection);
  if (isCurrent(found, request)) return;
  const config = renderServerConfig({ ...request, way: wayOf(found, request) }, found);
  refuseOverruled(found, config, request.flags, machine.name);
  for (const { seen } of configDifferences(found, request.flags)) {
    progress(`${machine.name}: ${seen}`);
  }
  await withLease(cluster, `restart ${machine.name} with other flags`, progress, async () => {
    const members = await healthyMembers(cluster, progress);
    if (members.length > 1) {
      await drainServer(cluster, request, progress);
      // k3s may end without handing over.
      await handOverLeadership(cluster, machine, members, progress);
    }
    await runLocked(
      connection,
      {
        act: `configuration of ${machine.name}`,
        script: "k3s-config.sh",
        variables: { CONFIG: config, AUDIT_POLICY: auditPolicy },
        limit: 900,
      },
      progress,
    );
    await healthyMembers(cluster, progress);
  });
}

/** What runs without a file of Triad's, and not otherwise than the config says, is left alone. */
export function isCurrent(found: FoundConfig, request: MembershipRequest): boolean {
  if (found.restartOwed) return false;
  const own = found.files.find(({ path }) => path === configPath);
  const wanted = renderServerConfig({ ...request, way: wayOf(found, request) }, found);
  const policy = createHash("sha256").update(`${request.auditPolicy.trimEnd()}\n`).digest("hex");
  if (request.auditPolicy !== "" && found.auditPolicySha256 !== policy) return false;
  if (own !== undefined && own.text.trim() !== wanted.trim()) return false;
  const namesMatter = found.datastore === "etcd" && absentNames(found, request).length > 0;
  return configDifferences(found, request.flags).length === 0 && !namesMatter;
}

/** A server keeps how it found its cluster. On SQLite it has none: `cluster-init` there would convert it unguarded. */
function wayOf(found: FoundConfig, { endpoint }: MembershipRequest): Way {
  const { settings } = effectiveConfig(found);
  if (found.datastore !== "etcd") return "keep";
  if (settings.has("server")) return { server: joinUrl(endpoint) };
  return settings.get("cluster-init")?.values.at(-1) === "true" ? { clusterInit: true } : "keep";
}

function absentNames(found: FoundConfig, { endpoint }: MembershipRequest): string[] {
  const said = effectiveConfig(found).settings.get("tls-san")?.values ?? [];
  const names = normalise("tls-san", said);
  return endpointNames(endpoint).filter((name) => !names.includes(name));
}
