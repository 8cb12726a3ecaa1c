import { described, findGuest, type Guest, lookForGuest } from "../../proxmox/guest.ts";
import { deleteSnapshot, snapshotsOf } from "../../proxmox/snapshots.ts";
import type { Progress } from "../act.ts";
import { reasonOf } from "../reasonOf.ts";
import type { CheckpointsRequest } from "../request.ts";
import { checkpointsAmong, superfluous } from "./naming.ts";
import { refusal } from "./refusal.ts";

type Asked = Pick<CheckpointsRequest, "clusterName" | "guests" | "keep" | "proxmox">;

/** Deletes what Triad took too many of a machine, and nothing else. What fails is told, and tried again by the next run. */
export async function forgetOld(
  { clusterName, keep, proxmox }: Asked,
  { machine, vmId }: Asked["guests"][number],
  token: string,
  progress: Progress,
): Promise<void> {
  const own = { machine: machine.name, cluster: clusterName };
  try {
    const guest = await lookForGuest({ ...proxmox, token }, vmId);
    // It may not have been created yet.
    if (guest === undefined) return;
    for (const old of superfluous(checkpointsAmong(await snapshotsOf(guest), own), keep)) {
      progress(`deleting checkpoint ${old.name} of ${described(guest)}`);
      await deleteSnapshot(guest, old, progress);
    }
  } catch (error) {
    progress(`warning: ${reasonOf(error)}`);
  }
}

/** @throws ActError where Proxmox has no such machine, or does not answer */
export async function guestOf(
  { proxmox }: Pick<CheckpointsRequest, "proxmox">,
  vmId: number,
  token: string,
): Promise<Guest> {
  try {
    return await findGuest({ ...proxmox, token }, vmId);
  } catch (error) {
    throw refusal(error);
  }
}
