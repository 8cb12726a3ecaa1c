import type { Progress } from "./act.ts";
import type { LiveCluster } from "./liveCluster.ts";
import type { Machine } from "./request.ts";

/** Stops a server to which pods are not sent any more; hidden once more, as it may have announced itself meanwhile. */
export async function hidden<Answer>(
  cluster: LiveCluster,
  machine: Machine,
  progress: Progress,
  stop: () => Promise<Answer>,
): Promise<Answer> {
  await hide(cluster, machine, progress);
  const answer = await stop();
  await hide(cluster, machine, progress);
  return answer;
}

/** Where it fails some requests of pods fail, for half a minute at most. */
async function hide(cluster: LiveCluster, machine: Machine, progress: Progress): Promise<void> {
  try {
    await cluster.distribution.hideServer(cluster, machine);
  } catch (error) {
    progress(
      `warning: pods may still be sent to ${machine.name} for a while: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
