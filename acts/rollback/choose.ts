import { described, type Guest } from "../../proxmox/guest.ts";
import {
  type GuestStorage,
  type Snapshot,
  snapshotsOf,
  storagesOf,
} from "../../proxmox/snapshots.ts";
import { ActError } from "../act.ts";
import { type Checkpoint, checkpointsAmong } from "../checkpoint/naming.ts";
import type { RollbackRequest, Standing } from "./request.ts";
import { nothing, refuseUnable } from "./unable.ts";

/** Those that forget every snapshot behind the one that they go back to, and refuse to. */
const onlyTheNewest = ["zfspool", "zfs", "lvm"];

/**
 * The checkpoint to go back to: one of Triad's, since only these hold the guard that keeps the server from starting.
 * @throws ActError where there is none, or Proxmox would not go back to it
 */
export async function chooseCheckpoint(
  guest: Guest,
  { clusterName, membership: { machine }, checkpoint: asked }: RollbackRequest,
): Promise<Checkpoint> {
  const snapshots = await snapshotsOf(guest);
  const own = { machine: machine.name, cluster: clusterName };
  const whole = checkpointsAmong(snapshots, own).filter(({ isWhole }) => isWhole);
  const chosen = asked === undefined ? whole.at(-1) : whole.find(({ name }) => name === asked);
  if (chosen === undefined) {
    const names = whole.map(({ name }) => name).join(", ");
    throw new ActError(
      asked === undefined
        ? `${described(guest)} has no checkpoint that Triad took of ${machine.name} in ${clusterName}`
        : `${described(guest)} has no checkpoint ${asked} that Triad took of ${machine.name} in ${clusterName}`,
      "from another snapshot the server would come up with old data, and nothing would keep it from that",
      names === ""
        ? "docs/restore.md says how a server is made anew, or a backup put back"
        : `give one of these by CHECKPOINT: ${names}`,
    );
  }
  refuseLater(guest, chosen, snapshots, await storagesOf(guest));
  await refuseUnable(guest);
  return chosen;
}

/** Said before anything is stopped: Proxmox would only say it then. */
function refuseLater(
  guest: Guest,
  chosen: Checkpoint,
  snapshots: readonly Snapshot[],
  storages: readonly GuestStorage[],
): void {
  const strict = storages.filter(({ type }) => onlyTheNewest.includes(type));
  const later = snapshots.slice(snapshots.findIndex(({ name }) => name === chosen.name) + 1);
  if (strict.length === 0 || later.length === 0) return;
  const names = later.map(({ name }) => name);
  throw new ActError(
    `${described(guest)} has newer snapshots than ${chosen.name}: ${names.join(", ")}`,
    `${strict.map(({ name, type }) => `${name} (${type})`).join(", ")} goes back to the newest one only; ${nothing}`,
    `go back to ${names.at(-1) ?? ""}, or delete the newer ones for good: ${names
      .toReversed()
      .map((name) => `qm delsnapshot ${guest.vmId} ${name}`)
      .join("; ")}`,
  );
}

/** An etcd that had peers then would wait for them: alone it can only go back to where it was alone. */
export function refuseUnfit({ servers, name }: Checkpoint, standing: Standing): void {
  if (standing.kind === "peers" || servers === 1) return;
  throw new ActError(
    `the cluster had ${servers} servers when ${name} was taken, and has one now`,
    `its etcd would wait for members that are no more, and the API would stay down; ${nothing}`,
    "choose a checkpoint from when it was alone, or put a backup back as docs/restore.md says",
  );
}
