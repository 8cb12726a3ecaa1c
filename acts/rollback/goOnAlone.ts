import { ActError, type Progress } from "../act.ts";
import type { Guard } from "../checkpoint/guard.ts";
import type { Checkpoint } from "../checkpoint/naming.ts";
import { withLease } from "../lease.ts";
import { findLiveCluster } from "../liveCluster.ts";
import { settleCluster } from "../recovery/afterwards.ts";
import type { RollbackRequest } from "./request.ts";

/** A control plane that starts on a machine that has just booted. */
const startLimitMs = 300_000;

/**
 * The only server goes on with the data that it had at the checkpoint. Revisions come again that clients have seen already:
 * as after a restore, whoever may wait in silence for what does not come is restarted.
 *
 * @throws ActError when not everybody is; the cluster serves then
 */
export async function goOnAlone(
  { recovery }: RollbackRequest,
  checkpoint: Checkpoint,
  guard: Guard,
  progress: Progress,
): Promise<void> {
  const { survivor } = recovery;
  progress(`${survivor.name} starts with what it had at ${checkpoint.name}`);
  const recoveredAt = await guard.start();
  const cluster = await findLiveCluster(
    { ...recovery, peers: [survivor] },
    progress,
    [],
    startLimitMs,
  );
  const state = { source: checkpoint.name, recoveredAt, bumped: false };
  try {
    await withLease(cluster, `roll back ${survivor.name}`, progress, () =>
      settleCluster(cluster, recovery, state, [], progress),
    );
  } catch (error) {
    if (!(error instanceof ActError)) throw error;
    throw new ActError(
      `the cluster serves as it was at ${checkpoint.name}, and not all is settled: ${error.message.split("\n  why")[0] ?? ""}`,
      "who watches the API may no longer hear of changes",
      "mend what is named, then run make rollback again with the same CHECKPOINT; or restart by hand what is stale: agents and kubelets, CoreDNS, controllers",
    );
  } finally {
    cluster.close();
  }
}
