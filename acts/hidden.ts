import { setTimeout as sleep } from "node:timers/promises";
import type { Progress } from "./act.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { reasonOf } from "./reasonOf.ts";
import type { Machine } from "./request.ts";

/** How often a server that announces itself anew, as each does every 10 s until it has stopped, is hidden again, in ms. */
const againMs = 1_000;

/** Stops a server to which pods are not sent any more. */
export async function hidden<Answer>(
  cluster: LiveCluster,
  machine: Machine,
  progress: Progress,
  stop: () => Promise<Answer>,
): Promise<Answer> {
  await hide(cluster, machine, progress);
  const stopping = stop();
  const over = stopping.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([over, sleep(againMs, false)]))) {
    await hide(cluster, machine, progress);
  }
  await hide(cluster, machine, progress);
  return await stopping;
}

/** Where it fails some requests of pods fail, for half a minute at most. */
async function hide(cluster: LiveCluster, machine: Machine, progress: Progress): Promise<void> {
  try {
    await cluster.distribution.hideServer(cluster, machine);
  } catch (error) {
    progress(`warning: pods may still be sent to ${machine.name} for a while: ${reasonOf(error)}`);
  }
}
