import { connect, SshError } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { type ActContext, ActError } from "./act.ts";
import {
  describeMembers,
  etcdMembers,
  membersOf,
  moveEtcdLeader,
  quorumHoldsWithout,
  removeEtcdMember,
} from "./etcdMembers.ts";
import { gate } from "./gate.ts";
import { withLease } from "./lease.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { drainServer } from "./loadBalancers.ts";
import { runLocked } from "./machineLock.ts";
import { membershipOf, readNode } from "./nodes.ts";
import type { MembershipRequest } from "./request.ts";

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
  const cluster = await findLiveCluster(request, [machine.name]);
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
  { machine, identity, loadBalancers }: MembershipRequest,
  progress: ActContext["progress"],
): Promise<void> {
  const connection = await connectLeaver(machine, identity);
  try {
    await leaveGate(cluster, machine);
    await drainServer(loadBalancers, identity, machine, progress);
    await handOverLeadership(cluster, machine, progress);
    await runScript(connection, { script: "kubeadm-leave.sh", verb: "retire" }, progress);
    // While its etcd still runs: of two members the other one could not remove it alone.
    for (const member of membersOf(machine, await etcdMembers(cluster))) {
      await removeEtcdMember(cluster, member.id);
    }
    await runLocked(
      connection,
      { act: `leave ${machine.name}`, script: "kubeadm-leave.sh", variables: {}, limit: 300 },
      progress,
    );
    await staysAway(cluster, machine, progress);
    await cluster.core.deleteNode({ name: machine.nodeName }).catch(() => undefined);
    progress(`${machine.name} has left`);
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
  machine: MembershipRequest["machine"],
): Promise<void> {
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

async function handOverLeadership(
  cluster: LiveCluster,
  machine: MembershipRequest["machine"],
  progress: ActContext["progress"],
): Promise<void> {
  const members = await etcdMembers(cluster);
  const [own] = membersOf(machine, members);
  const heir = members.find(
    ({ id, role, healthy }) => id !== own?.id && role === "voter" && healthy,
  );
  if (own?.leader !== true || heir === undefined) return;
  progress(`etcd's leadership goes from ${own.name} to ${heir.name}`);
  await moveEtcdLeader(cluster, heir.id);
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
      cure: `stop kubelet and etcd on ${machine.name}, then run this again`,
      progress,
    },
  );
}
