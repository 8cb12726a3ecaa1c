import { described, type Guest, stateOf } from "../../proxmox/guest.ts";
import { hasRight, rightsOf } from "../../proxmox/rights.ts";
import { ActError } from "../act.ts";

/** Of every refusal. */
export const nothing = "nothing has been changed";
const again = "then run it again";

/**
 * What Proxmox would refuse once the server has left and its machine is stopped is refused before.
 * @throws ActError when somebody else holds the guest, or starts it, or the token may not do what it takes
 */
export async function refuseUnable(guest: Guest): Promise<void> {
  const { vmId } = guest;
  const { isManaged, lock } = await stateOf(guest);
  if (lock !== undefined) {
    throw new ActError(
      `${described(guest)} is locked (${lock})`,
      `Proxmox would not let it go back meanwhile; ${nothing}`,
      `wait for what holds it, perhaps a backup, ${again}; a lock that nobody holds any more is taken off on its node by \`qm unlock ${vmId}\``,
    );
  }
  if (isManaged) {
    throw new ActError(
      `${described(guest)} is under Proxmox's high availability`,
      `it would start the machine while it is to stay stopped; ${nothing}`,
      `ha-manager set vm:${vmId} --state ignored; ${again}, and undo that afterwards`,
    );
  }
  const path = `/vms/${vmId}`;
  const rights = await rightsOf(guest.access);
  const has = (right: string): boolean => hasRight(rights, path, right);
  const lacks = [
    ...(has("VM.PowerMgmt") ? [] : ["VM.PowerMgmt"]),
    ...(has("VM.Snapshot") || has("VM.Snapshot.Rollback") ? [] : ["VM.Snapshot.Rollback"]),
  ];
  if (lacks.length === 0) return;
  throw new ActError(
    `the token lacks ${lacks.join(", ")} on ${path}`,
    `Proxmox would refuse when the server has left already; ${nothing}`,
    `give it a role with these by \`pveum acl modify\`, ${again}`,
  );
}
