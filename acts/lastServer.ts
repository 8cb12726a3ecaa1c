import { connect } from "../ssh/connection.ts";
import { ActError, type Progress } from "./act.ts";
import { etcdMembers, membersOf } from "./etcdMembers.ts";
import { withLease } from "./lease.ts";
import { LeaverMachine } from "./leaverMachine.ts";
import { findLiveCluster, type LiveCluster, NoLivingServer } from "./liveCluster.ts";
import { settleMachine } from "./machineLock.ts";
import type { MembershipAnswer } from "./membershipAnswer.ts";
import { readNode } from "./nodes.ts";
import type { MembershipRequest } from "./request.ts";
import { unclear, whoseDelete } from "./whoseDelete.ts";

/**
 * No other server lives. The last voter of a cluster never leaves: one that was found stays, one that Triad made is
 * refused, and only a key that names the cluster lets it be wiped.
 *
 * @param noOther why no other server was found: told where it is not the last one
 * @throws ActError
 */
export async function lastServer(
  request: MembershipRequest,
  progress: Progress,
  remembered: MembershipAnswer | undefined,
  noOther: NoLivingServer,
): Promise<void> {
  const { machine, onDestroy } = request;
  const cluster = await findAlone(request, progress);
  if (cluster === undefined) {
    await finishWipe(request, progress, noOther);
    return;
  }
  try {
    const members = await etcdMembers(cluster);
    const own = membersOf(machine, members);
    if (members.some((member) => !own.includes(member))) throw noOther;
    const node = await readNode(cluster, machine.nodeName);
    const verdict = whoseDelete(machine, remembered?.nonce, node, members);
    if (verdict.is === "another") {
      progress(`${verdict.seen}: nothing to do`);
      return;
    }
    if (verdict.is === "unclear") throw unclear(verdict.seen, machine.name);
    if (onDestroy === "wipe") {
      await wipe(cluster, request, progress);
      return;
    }
    if (remembered?.found !== true) throw refusal(machine.name);
    progress(`${machine.name} is the cluster's last server: it stays, with the endpoint`);
  } finally {
    cluster.close();
  }
}

async function findAlone(
  request: MembershipRequest,
  progress: Progress,
): Promise<LiveCluster | undefined> {
  try {
    return await findLiveCluster({ ...request, peers: [request.machine] }, progress);
  } catch (error) {
    if (error instanceof NoLivingServer) return undefined;
    throw error;
  }
}

function refusal(name: string): ActError {
  return new ActError(
    `${name} is the cluster's last server`,
    "the cluster would be gone with it, and a delete cannot know whether that is meant",
    "to keep the cluster and forget it, set triad:onDestroy to forget, run pulumi up, then destroy; to end the cluster, set it to wipe, and triad:wipe to the cluster's name",
  );
}

async function wipe(
  cluster: LiveCluster,
  request: MembershipRequest,
  progress: Progress,
): Promise<void> {
  const { name } = request.machine;
  await withLease(cluster, `wipe ${name}`, progress, async () => {
    progress(`wiping ${name}, the cluster's last server`);
    await settleMachine(cluster.connection, progress);
    await new LeaverMachine(cluster.connection, request, undefined, progress).wipe();
  });
  progress(`${name} is wiped: the cluster is no more`);
}

/** Nothing lives: a wipe that was cut off goes on, and a machine that is no server has been wiped. */
async function finishWipe(
  request: MembershipRequest,
  progress: Progress,
  noOther: NoLivingServer,
): Promise<void> {
  if (request.onDestroy !== "wipe") throw noOther;
  const connection = await connect(request.machine, request.identity);
  try {
    await settleMachine(connection, progress);
    const leaver = new LeaverMachine(connection, request, undefined, progress);
    const { server, retired } = await leaver.state();
    if (server && !retired) throw noOther;
    await leaver.wipe();
    progress(`${request.machine.name} is wiped`);
  } finally {
    connection.close();
  }
}
