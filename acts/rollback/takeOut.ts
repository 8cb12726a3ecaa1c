import { type Guest, stopGuest } from "../../proxmox/guest.ts";
import { connect, type SshConnection, SshError } from "../../ssh/connection.ts";
import { ActError, type Progress } from "../act.ts";
import {
  describeMembers,
  type EtcdMember,
  etcdMembers,
  isMember,
  membersOf,
  quorumHoldsWhileDown,
} from "../etcdMembers.ts";
import { removeSilent } from "../goneServer.ts";
import { withLeaseOf } from "../lease.ts";
import { LeaverMachine } from "../leaverMachine.ts";
import { findLiveCluster, type LiveCluster } from "../liveCluster.ts";
import { settleMachine } from "../machineLock.ts";
import { readNode } from "../nodes.ts";
import { staysAway } from "../removeMembers.ts";
import type { Machine, MembershipRequest } from "../request.ts";
import { retireServer } from "../retireServer.ts";

/**
 * The server leaves etcd and stops, before its disk goes back: with old data it must never be a member. One that answers
 * leaves in good order, its pods first; one that does not is stopped by Proxmox, and its member removed then.
 *
 * @throws ActError, ScriptError, SshError, ProxmoxError; its disk is as it was then
 */
export async function takeOut(
  request: MembershipRequest,
  guest: Guest,
  progress: Progress,
): Promise<void> {
  const { machine } = request;
  await withLeaseOf(
    () => findLiveCluster(request, progress, [machine.name]),
    `roll back ${machine.name}`,
    progress,
    (cluster) => leaveAndStop(cluster, request, guest, progress),
  );
}

/** The same by a cluster that was found; the Lease is held. */
export async function leaveAndStop(
  cluster: LiveCluster,
  request: MembershipRequest,
  guest: Guest,
  progress: Progress,
): Promise<void> {
  const { machine } = request;
  if (await isMember(cluster, machine)) await leaveEtcd(cluster, request, guest, progress);
  await stopGuest(guest, progress);
  // One that had not ended would be back by now.
  await staysAway(cluster, machine, progress);
}

async function leaveEtcd(
  cluster: LiveCluster,
  request: MembershipRequest,
  guest: Guest,
  progress: Progress,
): Promise<void> {
  const { machine } = request;
  const connection = await wayIn(cluster, request, progress);
  if (connection === undefined) {
    refuseNeeded(machine, await etcdMembers(cluster));
    await stopGuest(guest, progress);
    await removeSilent(cluster, request, progress);
    return;
  }
  try {
    await settleMachine(connection, progress);
    const leaver = new LeaverMachine(connection, request, undefined, progress);
    const node = await readNode(cluster, machine.nodeName);
    // What is only on this machine goes back, as the person has agreed.
    const way = { node, dataMayGo: true, clearsPods: true };
    await retireServer(cluster, request, leaver, way, progress);
  } finally {
    connection.close();
  }
  if (!(await isMember(cluster, machine))) return;
  throw new ActError(
    `${machine.name} is still a member of etcd`,
    "with old data it must not be one; its disk is as it was",
    "see etcd's log on the other servers, then run make rollback again",
  );
}

/** The others have to remove its member once it is stopped: of two voters, one alone can't. */
function refuseNeeded(machine: Machine, members: readonly EtcdMember[]): void {
  if (quorumHoldsWhileDown(machine, members)) return;
  throw new ActError(
    `${machine.name} can't be logged in to, and etcd needs it: ${describeMembers(members)}`,
    "stopped from outside it would take the quorum along, and could not be removed any more",
    `see that ${machine.name} answers SSH, so that it can leave in good order, or bring the other members back to health; then run make rollback again`,
  );
}

/** @returns undefined where it can't leave in good order: nobody answers there, or its server does not run */
async function wayIn(
  cluster: LiveCluster,
  { machine, identity }: MembershipRequest,
  progress: Progress,
): Promise<SshConnection | undefined> {
  const own = membersOf(machine, await etcdMembers(cluster));
  if (!own.some(({ healthy }) => healthy)) {
    progress(`${machine.name} can't leave by itself: etcd says ${describeMembers(own)}`);
    return undefined;
  }
  return await connect(machine, identity).catch((error: unknown) => {
    if (!(error instanceof SshError) || error.kind === "credentials") throw error;
    progress(`${machine.name} can't leave by itself: ${error.message}`);
    return undefined;
  });
}
