import * as z from "zod";
import { connect, type SshConnection } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import { ActError, type Progress } from "../act.ts";
import { withLease } from "../lease.ts";
import { findLiveCluster } from "../liveCluster.ts";
import { runLocked } from "../machineLock.ts";
import type { Machine } from "../request.ts";
import { settleCluster } from "./afterwards.ts";
import { judgeOthers, lookAtOthers, type OthersJudgement } from "./others.ts";
import { hasNoQuorum } from "./quorum.ts";
import { again, type RecoveryRequest, scriptOf } from "./request.ts";
import { bringSnapshot } from "./snapshotFile.ts";

const stateAnswer = z.object({
  phase: z.enum(["none", "closing", "copied", "serving"]),
  /** How many etcd has; 0 where it has no quorum. */
  members: z.number(),
  data: z.boolean(),
  source: z.string(),
  /** Unix time in seconds at which etcd was one member. */
  recoveredAt: z.number().nullable(),
  /** Whether no revision comes twice, so that watchers notice by themselves. */
  bumped: z.boolean(),
  /** Folder on the survivor with what it held before. */
  kept: z.string().nullable(),
});
/** How far the survivor has come, as `<distribution>-recover.sh check` tells it. */
export type RecoveryState = z.infer<typeof stateAnswer>;

const reached = z.object({ answering: z.array(z.string()) });

/** Asks the person; resolves only with their consent. */
export type Consent = (warnings: readonly string[]) => Promise<void>;

/** In seconds: copies of the data, a restore, and two starts of etcd. */
const limit = 2_400;

/**
 * A cluster whose majority is lost goes on with the one server that is left, from its own data or from a snapshot. It looks
 * first, at every described machine, and refuses while a quorum holds or another etcd runs. Run again after any end it goes
 * on from there.
 *
 * @returns what the survivor keeps of before
 * @throws ActError, ScriptError, SshError
 */
export async function recover(
  request: RecoveryRequest,
  consent: Consent,
  progress: Progress,
): Promise<RecoveryState> {
  const { survivor, identity } = request;
  const connection = await connect(survivor, identity);
  try {
    const before = await readState(connection, request);
    if (before.phase === "serving" && before.members > 1) {
      progress(`others have joined ${survivor.name} since it was recovered: nothing is left to do`);
      await runScript(connection, { script: scriptOf(request), verb: "finish" });
      return before;
    }
    if (before.phase !== "none") {
      progress(
        `a recovery from ${before.source} is under way on ${survivor.name}: going on with it`,
      );
    } else {
      await hasNoQuorum(() => readState(connection, request), survivor, progress);
    }
    const judgement = await judge(connection, request);
    await consent(judgement.warnings);
    for (const machine of judgement.toFence) await fence(machine, request, progress);
    const state = await recoverMachine(connection, request, progress);
    await recoverCluster(request, state, judgement.toFence, progress);
    await runScript(connection, { script: scriptOf(request), verb: "finish" });
    return state;
  } finally {
    connection.close();
  }
}

async function readState(
  connection: SshConnection,
  request: RecoveryRequest,
): Promise<RecoveryState> {
  const call = { script: scriptOf(request), verb: "check" };
  return stateAnswer.parse(await runScript(connection, call));
}

/** Throws with all that speaks against it at once. */
async function judge(
  connection: SshConnection,
  request: RecoveryRequest,
): Promise<OthersJudgement> {
  const { survivor, peers, lost, identity } = request;
  const machines = peers.filter(({ name }) => name !== survivor.name);
  const others = await lookAtOthers(machines, identity);
  const silent = others.filter(({ state }) => state === "silent" || state === "another");
  const { answering } = reached.parse(
    await runScript(connection, {
      script: scriptOf(request),
      verb: "reach",
      variables: { PEERS: silent.map(({ machine }) => `${machine.address}:2380`).join(" ") },
    }),
  );
  const names = lost.map(({ name }) => name);
  const judgement = judgeOthers(others, names, answering);
  if (judgement.faults.length === 0) return judgement;
  throw new ActError(
    `another server is not lost:\n${judgement.faults.map((fault) => `    ${fault}`).join("\n")}`,
    "beside a recovered server it would be a second cluster, or it has what the recovery would throw away",
    `bring it back into the cluster if it can be; if not, stop it (systemctl stop k3s; with kubeadm move /etc/kubernetes/manifests/*.yaml away) or switch it off, ${again}`,
  );
}

async function fence(
  machine: Machine,
  request: RecoveryRequest,
  progress: Progress,
): Promise<void> {
  const connection = await connect(machine, request.identity);
  try {
    await runScript(connection, { script: scriptOf(request), verb: "fence" }, (line) =>
      progress(`${machine.name}: ${line}`),
    );
  } finally {
    connection.close();
  }
}

async function recoverMachine(
  connection: SshConnection,
  request: RecoveryRequest,
  progress: Progress,
): Promise<RecoveryState> {
  const { survivor, snapshot } = request;
  const path = snapshot === undefined ? "" : await bringSnapshot(connection, snapshot, progress);
  return stateAnswer.parse(
    await runLocked(
      connection,
      {
        act: `recover ${survivor.name}${snapshot === undefined ? "" : " from a snapshot"}`,
        script: scriptOf(request),
        variables: { SNAPSHOT: path, NODE_ADDRESS: survivor.address },
        limit,
      },
      progress,
    ),
  );
}

async function recoverCluster(
  request: RecoveryRequest,
  state: RecoveryState,
  stopped: readonly Machine[],
  progress: Progress,
): Promise<void> {
  const cluster = await findLiveCluster({ ...request, peers: [request.survivor] }, progress);
  try {
    await withLease(cluster, `recover ${request.survivor.name}`, progress, () =>
      settleCluster(cluster, request, state, stopped, progress),
    );
  } finally {
    cluster.close();
  }
}
