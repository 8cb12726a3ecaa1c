import { ProxmoxError } from "../../proxmox/api.ts";
import { described, type Guest, startGuest } from "../../proxmox/guest.ts";
import { rollBackTo } from "../../proxmox/snapshots.ts";
import { connect, type SshConnection } from "../../ssh/connection.ts";
import { ActError, type Progress } from "../act.ts";
import type { Checkpoint } from "../checkpoint/naming.ts";
import { gate } from "../gate.ts";
import type { MembershipRequest } from "../request.ts";

const bootLimitMs = 600_000;

/**
 * The disk of a machine that is stopped goes back, and the machine starts; its server does not, by its guard.
 * @param stopped how the machine is where Proxmox does not go back, for people
 * @returns the way in
 * @throws ProxmoxError; ActError when it does not go back, or does not answer within ten minutes
 */
export async function turnBack(
  { machine, identity }: Pick<MembershipRequest, "machine" | "identity">,
  guest: Guest,
  checkpoint: Checkpoint,
  stopped: string,
  progress: Progress,
): Promise<SshConnection> {
  progress(`${described(guest)} goes back to ${checkpoint.name}`);
  await rollBackTo(guest, checkpoint, progress).catch((error: unknown) => {
    if (!(error instanceof ProxmoxError)) throw error;
    throw new ActError(
      error.message,
      `the disk of ${machine.name} has not gone back; ${stopped}`,
      "mend what Proxmox names, see the task there, then run make rollback again, perhaps with another CHECKPOINT: it begins anew",
    );
  });
  await startGuest(guest, progress);
  return await gate(async () => ({ found: await connect(machine, identity, 5_000) }), {
    what: `${machine.name} to answer SSH`,
    limitMs: bootLimitMs,
    intervalMs: 2_000,
    why: "its disk has gone back, and its guard keeps its server from starting until somebody takes it away",
    cure: "see its console at Proxmox; once it answers, run make rollback again with the same CHECKPOINT: it begins anew",
    progress,
  });
}
