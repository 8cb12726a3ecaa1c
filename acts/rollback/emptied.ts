import { type Guest, pullPlug } from "../../proxmox/guest.ts";
import type { SshConnection } from "../../ssh/connection.ts";
import { ActError, type Progress } from "../act.ts";
import { Guard } from "../checkpoint/guard.ts";
import { LeaverMachine } from "../leaverMachine.ts";
import type { MembershipRequest } from "../request.ts";

/**
 * What the server of a machine that went back holds is of an old cluster: it is moved aside, and the machine cleaned, before
 * it may start. One that came up without its guard is stopped at once.
 *
 * @throws ActError, ScriptError, SshError
 */
export async function emptied(
  request: Pick<MembershipRequest, "distribution" | "endpoint" | "machine">,
  guest: Guest,
  connection: SshConnection,
  progress: Progress,
): Promise<void> {
  const { name } = request.machine;
  const guard = new Guard(connection, request.distribution, progress);
  const { guarded, here, active } = await guard.state();
  if (!guarded || here || active) {
    await pullPlug(guest, progress);
    throw new ActError(
      `${name} came up without its guard, and was stopped at once`,
      "its server has old data; it is no member of etcd any more",
      "go back to another checkpoint, or destroy the machine and run pulumi up --refresh: one that Triad created is made anew",
    );
  }
  await new LeaverMachine(connection, request, undefined, progress).wipe();
  await guard.take();
  progress(`${name} is an empty machine`);
}
