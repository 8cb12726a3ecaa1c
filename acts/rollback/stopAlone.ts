import { type Guest, stopGuest } from "../../proxmox/guest.ts";
import type { Progress } from "../act.ts";
import { takeBackup } from "../backup.ts";
import { withLeaseOf } from "../lease.ts";
import { findLiveCluster, type LiveCluster, NoLivingServer } from "../liveCluster.ts";
import { settleMachine } from "../machineLock.ts";
import type { RollbackRequest } from "./request.ts";

/**
 * The only server stops: where its API answers after a backup, and as the holder of the Lease, so that nobody is changing
 * the cluster.
 *
 * @throws ActError, ScriptError, SshError, ProxmoxError
 */
export async function stopAlone(
  request: RollbackRequest,
  guest: Guest,
  progress: Progress,
): Promise<void> {
  const { membership } = request;
  const find = (): Promise<LiveCluster> => findLiveCluster(membership, progress, [], 5_000);
  try {
    await withLeaseOf(find, `roll back ${membership.machine.name}`, progress, (cluster) =>
      backUpAndStop(cluster, request, guest, progress),
    );
  } catch (error) {
    if (!(error instanceof NoLivingServer)) throw error;
    progress("its API does not answer: what it has now can't be backed up");
    await stopGuest(guest, progress);
  }
}

/** The same of a cluster that lives; the Lease is held. */
export async function backUpAndStop(
  cluster: LiveCluster,
  request: Pick<RollbackRequest, "clusterName" | "directory">,
  guest: Guest,
  progress: Progress,
): Promise<void> {
  await settleMachine(cluster.connection, progress);
  await takeBackup(cluster, request, progress);
  await stopGuest(guest, progress);
}
