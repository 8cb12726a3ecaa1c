import * as z from "zod";
import { connect, SshError } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { type ActContext, ActError } from "./act.ts";
import { describeMembers, etcdMembers, membersOf, quorumHoldsWithout } from "./etcdMembers.ts";
import { gate } from "./gate.ts";
import { handOverLeadership } from "./handOverLeadership.ts";
import { withLease } from "./lease.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { drainServer } from "./loadBalancers.ts";
import { runLocked } from "./machineLock.ts";
import { membershipOf, readNode } from "./nodes.ts";
import { pointWorker } from "./pointWorker.ts";
import type { MembershipRequest } from "./request.ts";

/** A machine that was a worker before it was promoted goes back to that. */
const leftAnswer = z.object({ worker: z.boolean().default(false) });

/**
 * Lets a server that Triad joined leave: out of the load balancers, its own etcd member gone, its files cleaned, its Node
 * deleted. A server that was there before Triad stays as it is, and a membership that a Node no longer stands for is
 * left alone.
 *
 * @throws ActError when a quorum would be lost or the machine does not answer; nothing is changed then
 */
export async function leaveServer(
  request: MembershipRequest,
  { progress }: ActContext,
  previous: { nonce: string; found: boolean } | undefined,
): Promise<object> {
  const { machine } = request;
  if (previous === undefined || previous.found) {
    progress(`${machine.name} was a server before Triad knew it, and stays one`);
    return {};
  }
  const cluster = await findLiveCluster(request, progress, [machine.name]);
  try {
    const node = await readNode(cluster, machine.nodeName);
    const marked = membershipOf(node);
    if (marked !== undefined && marked !== previous.nonce) {
      progress(`the Node ${machine.nodeName} stands for a later membership: nothing to do`);
      return {};
    }
    await withLease(cluster, `leave ${machine.name}`, progress, () =>
      leave(cluster, request, progress),
    );
    return {};
  } finally {
    cluster.close();
  }
}

async function leave(
  cluster: LiveCluster,
  request: MembershipRequest,
  progress: ActContext["progress"],
): Promise<void> {
  const { machine, identity } = request;
  const { distribution } = cluster;
  const script = `${distribution.name}-leave.sh`;
  const connection = await connectLeaver(machine, identity);
  try {
    await leaveGate(cluster, request);
    await drainServer(cluster, request, progress);
    await handOverLeadership(cluster, machine, await etcdMembers(cluster), progress);
    await runScript(connection, { script, verb: "retire" }, progress);
    // While its etcd still runs: of two members the other one could not remove it alone.
    for (const member of membersOf(machine, await etcdMembers(cluster))) {
      await distribution.removeMember(cluster, member);
    }
    const left = await runLocked(
      connection,
      { act: `leave ${machine.name}`, script, variables: {}, limit: 300 },
      progress,
    );
    await staysAway(cluster, machine, progress);
    const { worker } = leftAnswer.parse(left);
    await distribution.forget(cluster, machine.nodeName, worker);
    if (worker) await pointWorker(cluster, request, progress);
    progress(`${machine.name} has left${worker ? " and is a worker again" : ""}`);
  } finally {
    connection.close();
  }
}

async function connectLeaver(
  machine: MembershipRequest["machine"],
  identity: MembershipRequest["identity"],
): ReturnType<typeof connect> {
  try {
    return await connect(machine, identity);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    throw new ActError(
      error.message,
      "a server that may still run must be stopped before its member is removed, or it comes back",
      `start ${machine.name} and run this again`,
    );
  }
}

async function leaveGate(
  cluster: LiveCluster,
  { machine, version }: MembershipRequest,
): Promise<void> {
  const cure = cluster.distribution.cureOfRemoval(version);
  if (cure !== undefined) {
    throw new ActError(
      `${version} does not remove members of etcd reliably`,
      "the member could stay in the list, or come back, and count for the quorum",
      `bring every server to ${cure} or newer first`,
    );
  }
  const members = await etcdMembers(cluster);
  for (const member of membersOf(machine, members)) {
    if (quorumHoldsWithout(member.id, members)) continue;
    throw new ActError(
      `without ${machine.name} etcd has no quorum: ${describeMembers(members)}`,
      "the API would stop answering",
      "bring the unhealthy members back first; the last server of a cluster never leaves",
    );
  }
}

/** A removed member whose etcd still ran would add itself again: the list is watched for a while. */
async function staysAway(
  cluster: LiveCluster,
  machine: MembershipRequest["machine"],
  progress: ActContext["progress"],
): Promise<void> {
  const since = Date.now();
  await gate(
    async () => {
      const own = membersOf(machine, await etcdMembers(cluster));
      if (own.length > 0) return { seen: `still in the list: ${describeMembers(own)}` };
      return Date.now() - since > 3_000 ? { found: true } : { seen: "gone, watching the list" };
    },
    {
      what: `${machine.name} to stay out of etcd's member list`,
      limitMs: 60_000,
      why: "its member counts for the quorum as long as it is in the list",
      cure: `stop ${cluster.distribution.units.server} and etcd on ${machine.name}, then run this again`,
      progress,
    },
  );
}
