import { described, type Guest, untilUnlocked } from "../../proxmox/guest.ts";
import {
  deleteSnapshot,
  describeSnapshot,
  snapshotsOf,
  takeSnapshot,
} from "../../proxmox/snapshots.ts";
import { connect, type SshConnection, SshError } from "../../ssh/connection.ts";
import { ActError, type Progress } from "../act.ts";
import {
  describeMembers,
  type EtcdMember,
  etcdMembers,
  membersOf,
  quorumHoldsWhileDown,
} from "../etcdMembers.ts";
import { gate } from "../gate.ts";
import { handOverLeadership } from "../handOverLeadership.ts";
import { findLiveCluster, type LiveCluster } from "../liveCluster.ts";
import { settleMachine } from "../machineLock.ts";
import { reasonOf } from "../reasonOf.ts";
import type { CheckpointsRequest, Machine } from "../request.ts";
import { Guard } from "./guard.ts";
import { checkpointName, checkpointNote, unfinishedNote } from "./naming.ts";
import { refuseAnother, refuseLittleRoom } from "./preconditions.ts";
import { refusal } from "./refusal.ts";

/** How long a backup by Proxmox, or whatever else holds the machine, is waited for. */
const lockLimitMs = 600_000;
const handOvers = 3;

/** A server that is a virtual machine, and where its API is. */
export interface CheckpointWork {
  readonly cluster: LiveCluster;
  readonly request: CheckpointsRequest;
  readonly machine: Machine;
  readonly guest: Guest;
  readonly progress: Progress;
}

/**
 * Takes a checkpoint of one server, as etcd's follower. The Lease is held.
 * @returns its name; undefined where none was taken, which was told
 * @throws ActError when it can't be taken; the machine runs as before then
 */
export async function takeCheckpoint(work: CheckpointWork): Promise<string | undefined> {
  const { request, machine, progress } = work;
  const connection = await connect(machine, request.identity).catch((error: unknown) => {
    if (!(error instanceof SshError) || error.kind !== "unreachable") throw error;
    progress(`warning: no checkpoint of ${machine.name}: ${error.message}`);
    return undefined;
  });
  if (connection === undefined) return undefined;
  try {
    await settleMachine(connection, progress);
    const name = await checkpointOf(work, connection);
    if (name !== undefined) await wellAgain(work);
    return name;
  } finally {
    connection.close();
  }
}

/** The same on a machine that answers, and on which nothing is under way. */
export async function checkpointOf(
  work: CheckpointWork,
  connection: SshConnection,
): Promise<string | undefined> {
  const members = await etcdMembers(work.cluster);
  return mayPause(work, members) ? await take(work, connection, members.length) : undefined;
}

/** It stands still for a moment, with a guest agent for as long as its file systems are frozen. */
function mayPause({ machine, progress }: CheckpointWork, members: readonly EtcdMember[]): boolean {
  const { name } = machine;
  if (members.length > 0 && membersOf(machine, members).length === 0) {
    progress(`${name} is no member of etcd: it has nothing to go back to`);
    return false;
  }
  const voters = members.filter(({ role }) => role === "voter").length;
  if (voters <= 1 || quorumHoldsWhileDown(machine, members)) return true;
  if (voters === 2) {
    progress("warning: of two voters etcd needs both: what is written waits for the checkpoint");
    return true;
  }
  const seen = describeMembers(members);
  progress(`warning: no checkpoint of ${name}: etcd needs it at every moment (${seen})`);
  return false;
}

async function take(
  work: CheckpointWork,
  connection: SshConnection,
  members: number,
): Promise<string> {
  const { request, machine, guest, progress } = work;
  const name = checkpointName(new Date());
  const servers = Math.max(1, members);
  const whose = { machine: machine.name, cluster: request.clusterName };
  const guard = new Guard(connection, request.distribution, progress);
  let begun = false;
  try {
    await refuseAnother(guest, machine, (await guard.state()).macs);
    await refuseLittleRoom(guest);
    await untilUnlocked(guest, lockLimitMs, progress);
    await follow(work);
    progress(`checkpoint ${name} of ${described(guest)}`);
    await guard.put(name);
    let stood: boolean;
    begun = true;
    try {
      await takeSnapshot(guest, name, unfinishedNote(whose), progress);
    } finally {
      stood = await takenAway(work, guard);
    }
    if (!stood) throw new Error(`its guard was gone before ${name} was taken`);
    await describeSnapshot(guest, name, checkpointNote({ ...whose, servers }));
  } catch (error) {
    if (begun) await forgetHalf(work, name);
    throw refusal(error, guest);
  }
  return name;
}

async function takenAway(
  { machine, request, progress }: CheckpointWork,
  guard: Guard,
): Promise<boolean> {
  return await guard.take().catch(async (error: unknown) => {
    if (!(error instanceof SshError)) throw error;
    // A machine that paused for long has lost its connections.
    const connection = await connect(machine, request.identity);
    try {
      return await new Guard(connection, request.distribution, progress).take();
    } finally {
      connection.close();
    }
  });
}

/** A leader that pauses costs every client an election. One that is alone has nobody to hand over to, and no election. */
async function follow({ cluster, machine, progress }: CheckpointWork): Promise<void> {
  for (let count = 0; count < handOvers; count += 1) {
    const members = await etcdMembers(cluster);
    const [own] = membersOf(machine, members);
    if (own?.leader !== true || members.length === 1) return;
    await handOverLeadership(cluster, machine, members, progress);
  }
  const members = await etcdMembers(cluster);
  if (membersOf(machine, members)[0]?.leader !== true) return;
  throw new ActError(
    `${machine.name} leads etcd again whenever it has handed over: ${describeMembers(members)}`,
    "a leader that pauses for its checkpoint costs every client an election",
    "see etcd's log on the members, then run pulumi up again",
  );
}

/** One that was taken without its guard, or not wholly, would be worse than none. */
async function forgetHalf({ guest, progress }: CheckpointWork, name: string): Promise<void> {
  try {
    const half = (await snapshotsOf(guest)).find((snapshot) => snapshot.name === name);
    if (half !== undefined) await deleteSnapshot(guest, half, progress);
  } catch (error) {
    progress(`warning: ${name} may be left of a checkpoint that failed: ${reasonOf(error)}`);
  }
}

async function wellAgain({ machine, request, progress }: CheckpointWork): Promise<void> {
  // By a new connection: the machine that paused may be the one through which the cluster was reached.
  const cluster = await findLiveCluster(request, progress);
  try {
    await gate(
      async () => {
        const own = membersOf(machine, await etcdMembers(cluster));
        const ill = own.filter(({ healthy }) => !healthy);
        return ill.length === 0 ? { found: true } : { seen: describeMembers(ill) };
      },
      {
        what: `${machine.name} to be healthy after its checkpoint`,
        limitMs: 120_000,
        why: "the next one must not pause before it is",
        cure: `see journalctl on ${machine.name}, then run pulumi up again`,
        progress,
      },
    );
  } finally {
    cluster.close();
  }
}
