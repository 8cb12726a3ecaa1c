import type { V1Node } from "@kubernetes/client-node";
import { SshError } from "../../ssh/connection.ts";
import { ActError, type Progress } from "../act.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { isServer } from "../nodes.ts";
import { pointWorker } from "../pointWorker.ts";
import type { ControlPlaneRequest, Machine } from "../request.ts";

import { rollOut } from "../rollout.ts";
import { listWatchers, type Watcher } from "./watchingWorkloads.ts";

/** What their restart is told. */
export type WatchersRequest = Pick<
  ControlPlaneRequest,
  "identity" | "endpoint" | "peers" | "keepRunning"
>;

/** Two that do not come up have something in common; more would only take away what still runs. */
const mostUnfinished = 1;

/**
 * Restarts whatever watched the API before a conversion. Its revisions begin anew, and a watch that is resumed at a
 * higher one gets neither events nor an error until they have come that far: whoever watches goes stale in silence.
 * First the agents, each Ready before the next, then CoreDNS, then all pods that talk to the API, workload by workload.
 * What was restarted already is left alone, so a killed run goes on.
 *
 * @param convertedAt unix time in seconds, as text
 * @throws ActError naming what could not be restarted
 * @see https://github.com/kubernetes/kubernetes/issues/107457
 */
export async function restartWatchers(
  cluster: LiveCluster,
  request: WatchersRequest,
  convertedAt: string,
  progress: Progress,
): Promise<void> {
  const silent = await restartAgents(cluster, request, Number(convertedAt), progress);
  await restartWorkloads(cluster, request, convertedAt, progress);
  if (silent.length === 0) return;
  throw new ActError(
    `not every agent could be restarted:\n${silent.map((line) => `    ${line}`).join("\n")}`,
    "an agent that ran through the conversion may no longer hear of changes: its pods and Services stay as they were",
    "start the machines named above, or delete their Nodes, then run pulumi up again; all else is done",
  );
}

/** @returns a line for each agent that nobody could reach */
async function restartAgents(
  cluster: LiveCluster,
  { identity, endpoint, peers }: WatchersRequest,
  startedAfter: number,
  progress: Progress,
): Promise<string[]> {
  const { items } = await cluster.core.listNode();
  const silent: string[] = [];
  for (const node of items.filter((one) => !isServer(one))) {
    const machine = machineOf(node, peers);
    const name = node.metadata?.name ?? "";
    if (machine === undefined) {
      silent.push(`${name}: triad:machines describes no machine of this Node's name or address`);
      continue;
    }
    try {
      await pointWorker(cluster, { machine, identity, endpoint, startedAfter }, progress);
    } catch (error) {
      // One that is off is told at the end; one that does not come back ends it all, as the next might not either.
      if (!(error instanceof SshError)) throw error;
      silent.push(`${name}: ${error.message}`);
    }
  }
  return silent;
}

/** The machine that a Node is, by its name or by its address. */
export function machineOf(node: V1Node, machines: readonly Machine[]): Machine | undefined {
  const addresses = node.status?.addresses?.map(({ address }) => address) ?? [];
  return (
    machines.find(({ nodeName }) => nodeName === node.metadata?.name) ??
    machines.find(({ address }) => addresses.includes(address))
  );
}

async function restartWorkloads(
  cluster: LiveCluster,
  { keepRunning }: WatchersRequest,
  convertedAt: string,
  progress: Progress,
): Promise<void> {
  const unfinished: string[] = [];
  for (const watcher of await listWatchers(cluster)) {
    const skipped = whyNot(watcher, keepRunning);
    if (skipped !== undefined) {
      progress(`warning: ${skipped}`);
      continue;
    }
    const failure = await restart(cluster, watcher, convertedAt, progress);
    if (failure === undefined) continue;
    if (watcher.isDns) throw failure;
    unfinished.push(failure.message);
    progress(`warning: ${failure.message}`);
    if (unfinished.length > mostUnfinished) {
      throw new ActError(
        `the restart of several workloads does not end:\n    ${unfinished.map((message) => message.split("\n")[0]).join("\n    ")}`,
        "there may be one reason for all of them, and what still runs is left alone",
        "see kubectl get pods -A -o wide, mend it, then run pulumi up again: it goes on from here; triad:k3s.keepRunning leaves a workload out",
      );
    }
  }
}

/** Why a workload is left alone, if it is. */
function whyNot(
  { namespace, name, kind, byHand }: Watcher,
  keepRunning: readonly string[],
): string | undefined {
  const named = `${kind} ${namespace}/${name}`;
  const stale = "it may not hear of changes until its pods are restarted";
  if (keepRunning.includes(`${namespace}/${name}`)) return `${named} is kept running: ${stale}`;
  return byHand === undefined ? undefined : `${named} is left alone (${byHand}): ${stale}`;
}

async function restart(
  cluster: LiveCluster,
  watcher: Watcher,
  convertedAt: string,
  progress: Progress,
): Promise<ActError | undefined> {
  const { kind, namespace, name } = watcher;
  const reason = {
    annotation: "triad.dev/conversion",
    value: convertedAt,
    why: "what watched the API before the conversion may no longer hear of changes",
  };
  progress(`restarting ${kind} ${namespace}/${name}`);
  try {
    await rollOut(cluster, watcher, reason, progress);
    return undefined;
  } catch (error) {
    if (error instanceof ActError) return error;
    throw error;
  }
}
