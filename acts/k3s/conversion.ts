import * as z from "zod";
import { cureOfConversion } from "../../config/values/k3sDefects.ts";
import { runScript } from "../../ssh/runScript.ts";
import { type ActContext, ActError, type Progress } from "../act.ts";
import { gate } from "../gate.ts";
import { withLease } from "../lease.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { runLocked } from "../machineLock.ts";
import { readNode } from "../nodes.ts";
import type { ControlPlaneRequest } from "../request.ts";
import { refuseElsewhere, refuseOverruled } from "./configDifferences.ts";
import { readConfig } from "./foundConfig.ts";
import { renderServerConfig } from "./serverConfig.ts";
import { restartWatchers } from "./watchers.ts";

/** What `k3s-convert.sh check` says; its phases are explained there, in the part guard.sh. */
const conversionState = z.object({
  phase: z.enum(["none", "copying", "copied", "going-back", "put-back", "done"]),
  datastore: z.enum(["sqlite", "etcd", "none"]),
  /** Unix time in seconds at which k3s was started to copy. */
  convertedAt: z.number().nullable(),
});
type ConversionState = z.infer<typeof conversionState>;

/** In seconds: k3s puts one key after the other, and each waits for the disk. */
const limit = 3_600;

/**
 * A k3s server on SQLite goes on from etcd, with all that was in it, and whatever watched its API follows. Called at
 * every run, since it also ends what an earlier run left unfinished; where nothing is to be done it only looks.
 *
 * @throws ActError, or ScriptError when the conversion failed; the server is back on SQLite then
 */
export async function convert(
  cluster: LiveCluster,
  request: ControlPlaneRequest,
  context: ActContext,
): Promise<void> {
  const before = await readState(cluster);
  const unfinished = before.phase !== "none" && before.phase !== "done";
  if (!unfinished && (before.datastore !== "sqlite" || !request.convert)) return;
  await withLease(cluster, `convert ${cluster.server.name}`, context.progress, async () => {
    const state = await copy(cluster, request, before, context.progress);
    if (state.phase !== "copied") return;
    await isServerOfEtcd(cluster, context.progress);
    await restartWatchers(cluster, request, String(state.convertedAt), context.progress);
    await runScript(cluster.connection, { script: "k3s-convert.sh", verb: "finish" });
    context.progress(`${cluster.server.name} is converted to etcd`);
  });
}

/** Another run may have gone on while this one waited for the Lease: the script looks again. */
async function copy(
  cluster: LiveCluster,
  request: ControlPlaneRequest,
  { phase }: ConversionState,
  progress: Progress,
): Promise<ConversionState> {
  if (phase === "copied") return await readState(cluster);
  const { connection, server } = cluster;
  if (request.convert) await refuseBrokenVersion(cluster);
  await runLocked(
    connection,
    {
      act: `convert ${server.name} to etcd`,
      script: "k3s-convert.sh",
      verb: request.convert ? "ensure" : "restore",
      variables: request.convert ? { CONFIG: await configOf(cluster, request) } : {},
      limit,
    },
    progress,
  );
  return await readState(cluster);
}

async function readState({ connection }: LiveCluster): Promise<ConversionState> {
  return conversionState.parse(
    await runScript(connection, { script: "k3s-convert.sh", verb: "check" }),
  );
}

async function configOf(
  { connection, server }: LiveCluster,
  { endpoint, flags }: ControlPlaneRequest,
): Promise<string> {
  const found = await readConfig(connection);
  refuseElsewhere(found, server.name);
  const config = renderServerConfig(
    { machine: server, endpoint, flags, way: { clusterInit: true } },
    found,
  );
  refuseOverruled(found, config, flags, server.name);
  return config;
}

/** The version that runs counts; the config was held against it when the cluster was adopted. */
async function refuseBrokenVersion(cluster: LiveCluster): Promise<void> {
  const { server } = cluster;
  const node = await readNode(cluster, server.nodeName);
  const version = node?.status?.nodeInfo?.kubeletVersion ?? "";
  const cure = versionToTake(version);
  if (cure === undefined) return;
  throw new ActError(
    `${server.name} runs k3s ${version || "of an unknown version"}, which does not bring SQLite's content into etcd`,
    "the cluster would come up empty, or with a part of what it had",
    `upgrade k3s to ${cure} first, then run pulumi up again`,
  );
}

/**
 * The version to convert with, if this one can't. Those before 1.22.2 start an empty etcd beside SQLite.
 * @see https://docs.k3s.io/datastore/ha-embedded
 */
export function versionToTake(version: string): string | undefined {
  const [, minor, patch] = /^v1\.(\d+)\.(\d+)/.exec(version) ?? [];
  if (minor === undefined) return "a release that names its version";
  const isTooOld = Number(minor) < 22 || (Number(minor) === 22 && Number(patch) < 2);
  return isTooOld ? "v1.22.2+k3s1 or later" : cureOfConversion(version);
}

/** k3s says so itself, some seconds after its API is ready again. */
async function isServerOfEtcd(cluster: LiveCluster, progress: Progress): Promise<void> {
  const { nodeName } = cluster.server;
  await gate(
    async () => {
      const node = await readNode(cluster, nodeName);
      const voter = node?.status?.conditions?.find(({ type }) => type === "EtcdIsVoter")?.status;
      const label = node?.metadata?.labels?.["node-role.kubernetes.io/etcd"];
      return label === "true" && voter === "True"
        ? { found: true }
        : { seen: `label etcd ${label ?? "missing"}, condition EtcdIsVoter ${voter ?? "missing"}` };
    },
    {
      what: `${nodeName} to be a voter of etcd`,
      limitMs: 180_000,
      why: "other servers can join only then",
      cure: "see journalctl -u k3s there, then run pulumi up again: it goes on from here",
      progress,
    },
  );
}
