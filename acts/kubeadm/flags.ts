import * as z from "zod";
import type { SshConnection } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import { ActError, type Progress } from "../act.ts";
import { readClusterConfiguration } from "./clusterConfiguration.ts";
import { handOverLeadership } from "../handOverLeadership.ts";
import { healthyMembers } from "../healthyMembers.ts";
import { withLease } from "../lease.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { drainServer, stopDrained } from "../loadBalancers.ts";
import { runLocked } from "../machineLock.ts";
import type { Flags, Machine, MembershipRequest } from "../request.ts";

const flagsAnswer = z.object({
  /** Flags that run and that kubeadm's configuration does not have. */
  extra: z.array(z.string()),
  /** The reverse. */
  missing: z.array(z.string()),
  /** Whether the audit policy on the machine is the one asked for. */
  auditPolicy: z.boolean(),
});

function variables(
  machine: Machine,
  configuration: string,
  auditPolicy: string,
): Record<string, string> {
  return {
    CLUSTER_CONFIGURATION: configuration,
    NODE_NAME: machine.nodeName,
    NODE_ADDRESS: machine.address,
    AUDIT_POLICY: auditPolicy,
  };
}

async function compare(
  connection: SshConnection,
  machine: Machine,
  configuration: string,
  auditPolicy: string,
): Promise<z.infer<typeof flagsAnswer>> {
  return flagsAnswer.parse(
    await runScript(connection, {
      script: "kubeadm-flags.sh",
      verb: "check",
      variables: variables(machine, configuration, auditPolicy),
    }),
  );
}

/** Of flags that a server lacks, those that it must have now; the others it gets when it restarts for another reason. */
export function missingNow(missing: readonly string[], { later = [] }: Flags): string[] {
  return missing.filter(
    (flag) => !later.some((name) => flag.startsWith(`kube-apiserver --${name}=`)),
  );
}

/**
 * Adopting restarts nothing, so a server whose flags are not those of the config cannot be adopted: a server that joins
 * later would run with others.
 *
 * @throws ActError naming each flag that differs
 */
export async function refuseOtherFlags(
  { server, connection }: LiveCluster,
  configuration: string,
  flags: Flags,
): Promise<void> {
  const seenFlags = await compare(connection, server, configuration, "");
  const { extra } = seenFlags;
  const missing = missingNow(seenFlags.missing, flags);
  if (extra.length === 0 && missing.length === 0) return;
  const seen = [
    ...extra.map((flag) => `    it runs with ${flag}, which the config does not say`),
    ...missing.map((flag) => `    it runs without ${flag}, which the config asks for`),
  ];
  throw new ActError(
    `the flags of ${server.name} are not those of the config:\n${seen.join("\n")}`,
    "a server that joins would run with other flags than this one, and adopting restarts nothing",
    "say what it runs with under triad:apiServer and triad:etcd; what is new can be added once the cluster is adopted, and then one server restarts after the other",
  );
}

/** Brings a server's flags to those of kubeadm's configuration: alone, out of the load balancers, put back if it fails. */
export async function ensureFlags(
  cluster: LiveCluster,
  connection: SshConnection,
  request: MembershipRequest,
  progress: Progress,
): Promise<void> {
  const { machine, auditPolicy } = request;
  const configuration = await readClusterConfiguration(cluster);
  const seen = await compare(connection, machine, configuration, auditPolicy);
  const missing = missingNow(seen.missing, request.flags);
  if (seen.extra.length === 0 && missing.length === 0 && seen.auditPolicy) return;
  await withLease(cluster, `restart ${machine.name} with other flags`, progress, async () => {
    const members = await healthyMembers(cluster, progress);
    const call = {
      act: `flags of ${machine.name}`,
      script: "kubeadm-flags.sh",
      variables: variables(machine, configuration, auditPolicy),
      limit: 900,
    };
    const restart = (): Promise<unknown> => runLocked(connection, call, progress);
    if (members.length > 1) {
      await drainServer(cluster, request, progress);
      // Its etcd may restart too.
      await handOverLeadership(cluster, machine, members, progress);
      await stopDrained(request, progress, restart);
    } else await restart();
    await healthyMembers(cluster, progress);
  });
}
