import { ProxmoxError } from "../../proxmox/api.ts";
import { described, type Guest } from "../../proxmox/guest.ts";
import { ActError } from "../act.ts";

const again = "then run pulumi up again";

/** What Proxmox said, as an error that says what to do; any other error is returned as it is. */
export function refusal(error: unknown, guest?: Guest): Error {
  if (!(error instanceof ProxmoxError)) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const whose = guest === undefined ? "" : `no checkpoint of ${described(guest)}: `;
  return new ActError(
    `${whose}${error.message}`,
    "triad:proxmox.checkpoints asks for one before anything is changed; so far nothing is",
    cureOf(error, guest?.vmId ?? "NUMBER"),
  );
}

function cureOf({ kind, message }: ProxmoxError, vmId: number | string): string {
  if (kind === "unreachable") return `see that Proxmox's API answers, ${again}`;
  if (kind === "credentials") return `set triad:proxmoxToken, ${again}`;
  if (/is locked|can't lock file/.test(message)) {
    return `wait for what holds it, perhaps a backup; a lock that nobody holds any more is taken off on its node by \`qm unlock ${vmId}\`; ${again}`;
  }
  if (/feature is not available/.test(message)) {
    return `move its disks to a storage that takes snapshots (ZFS, LVM-thin, Ceph, or files of type qcow2), or take triad:proxmox.checkpoints away; ${again}`;
  }
  if (/no space|not enough|out of space|full|exceeds/i.test(message)) {
    return `make room on its storage, ${again}`;
  }
  if (/Permission check failed|: 403 /.test(message)) {
    return `give the token VM.Audit and VM.Snapshot on /vms/${vmId}, and Datastore.Audit on its storage, ${again}`;
  }
  return `mend what Proxmox names, see the task there, ${again}`;
}
