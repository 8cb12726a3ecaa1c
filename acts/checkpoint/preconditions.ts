import { described, type Guest, macsOf } from "../../proxmox/guest.ts";
import { storagesOf } from "../../proxmox/snapshots.ts";
import { ActError } from "../act.ts";
import type { Machine } from "../request.ts";

/** Of what its disks hold, how much must be free: a snapshot grows with whatever is written since. */
const leastFree = 0.1;

/**
 * A wrong number in the config would have another machine rolled back one day.
 * @param macs that the machine itself says it has
 * @throws ActError where the guest has none of them
 */
export async function refuseAnother(
  guest: Guest,
  machine: Machine,
  macs: readonly string[],
): Promise<void> {
  const known = await macsOf(guest);
  if (macs.some((mac) => known.includes(mac.toLowerCase()))) return;
  throw new ActError(
    `${described(guest)} has the MAC address ${known.join(", ") || "of nobody"}, and ${machine.name} has ${macs.join(", ")}`,
    "it is another machine, and a rollback would set that one back",
    `give the number of ${machine.name}, as \`qm list\` shows it, and run pulumi up again`,
  );
}

/** @throws ActError where a snapshot could fill a storage of the guest */
export async function refuseLittleRoom(guest: Guest): Promise<void> {
  for (const { name, freeGiB, disksGiB } of await storagesOf(guest)) {
    if (freeGiB >= disksGiB * leastFree) continue;
    const free = `${freeGiB.toFixed(1)} GiB free on ${name}, for disks of ${disksGiB.toFixed(1)} GiB`;
    throw new ActError(
      `no checkpoint of ${described(guest)}: ${free}`,
      "a snapshot grows with whatever is written since, and on a full storage Proxmox stops the machine",
      `make room on ${name}, or take triad:proxmox.checkpoints away, then run pulumi up again`,
    );
  }
}
