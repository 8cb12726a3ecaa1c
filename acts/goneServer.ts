import { connect, SshError } from "../ssh/connection.ts";
import { type ActContext, ActError, type Progress } from "./act.ts";
import { describeMembers, etcdMembers, membersOf, quorumHoldsWithout } from "./etcdMembers.ts";
import { forgetNode } from "./forgetNode.ts";
import { gate } from "./gate.ts";
import { withLeaseOf } from "./lease.ts";
import { LeaverMachine } from "./leaverMachine.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { drainServer } from "./loadBalancers.ts";
import { isReady, readNode } from "./nodes.ts";
import { removeMembers } from "./removeMembers.ts";
import type { Machine, MembershipRequest } from "./request.ts";
import { nodesOf } from "./volumeAffinity.ts";

/**
 * A server whose machine is no more leaves without it: its member, its Node and what the load balancers know of it go.
 * @throws ActError when it lives after all, or the quorum would be lost
 */
export async function goneServer(
  request: MembershipRequest,
  { progress }: ActContext,
): Promise<void> {
  const { machine } = request;
  await refuseLiving(request, progress);
  await withLeaseOf(
    () => findLiveCluster(request, progress, [machine.name]),
    `remove ${machine.name}, which is gone`,
    progress,
    async (cluster) => {
      await removeSilent(cluster, request, progress);
      await tellLostVolumes(cluster, machine, progress);
      await forgetNode(cluster, machine.nodeName, progress);
    },
  );
  progress(`${machine.name} is gone from the cluster`);
}

/**
 * A server that does not run is taken out of the load balancers and of etcd. The Lease is held.
 * @throws ActError when it runs after all, or the quorum would be lost
 */
export async function removeSilent(
  cluster: LiveCluster,
  request: MembershipRequest,
  progress: Progress,
): Promise<void> {
  const { machine } = request;
  await silence(cluster, machine, progress);
  await refuseLoss(cluster, machine);
  await drainServer(cluster, { ...request, gone: true }, progress);
  await removeMembers(cluster, machine, progress);
}

/** One that answers by its own key and is a server has to be stopped first, or it comes back. */
async function refuseLiving(request: MembershipRequest, progress: Progress): Promise<void> {
  const { machine, identity } = request;
  try {
    const connection = await connect(machine, identity, 5_000);
    try {
      const leaver = new LeaverMachine(connection, request, undefined, progress);
      if (!(await leaver.state()).server) return;
    } finally {
      connection.close();
    }
  } catch (error) {
    // Where another key is shown it is another machine that has the address now.
    if (!(error instanceof SshError) || error.kind === "credentials") throw error;
    progress(
      error.kind === "host-key" ? `another machine answers for ${machine.name}` : error.message,
    );
    return;
  }
  throw new ActError(
    `${machine.name} is said to be gone, but it answers and is a server`,
    "a server that still runs would join again once its member is removed",
    `turn it off for good; or take machines.${machine.name}.gone away, and let it leave by taking it off the list`,
  );
}

/** Whoever answers nobody by SSH may still serve: then its Node stays Ready, or its member healthy. */
async function silence(cluster: LiveCluster, machine: Machine, progress: Progress): Promise<void> {
  await gate(
    async () => {
      const own = membersOf(machine, await etcdMembers(cluster));
      const alive = own.filter(({ healthy }) => healthy);
      if (alive.length > 0) return { seen: `etcd says: ${describeMembers(alive)}` };
      if (isReady(await readNode(cluster, machine.nodeName))) return { seen: "its Node is Ready" };
      return { found: true };
    },
    {
      what: `the cluster to notice that ${machine.name} is gone`,
      limitMs: 120_000,
      intervalMs: 2_000,
      why: "a server that still runs would join again once its member is removed",
      cure: `turn ${machine.name} off for good, or take machines.${machine.name}.gone away`,
      progress,
    },
  );
}

async function refuseLoss(cluster: LiveCluster, machine: Machine): Promise<void> {
  const members = await etcdMembers(cluster);
  for (const { id } of membersOf(machine, members).filter(({ role }) => role === "voter")) {
    if (quorumHoldsWithout(id, members)) continue;
    throw new ActError(
      `without ${machine.name} etcd has no quorum: ${describeMembers(members)}`,
      "the API would stop answering",
      "bring the other members back to health first",
    );
  }
}

async function tellLostVolumes(
  cluster: LiveCluster,
  { name, nodeName }: Machine,
  progress: Progress,
): Promise<void> {
  const [nodes, volumes] = await Promise.all([
    cluster.core.listNode(),
    cluster.core.listPersistentVolume(),
  ]);
  for (const volume of volumes.items) {
    const usable = nodesOf(volume, nodes.items);
    const { claimRef } = volume.spec ?? {};
    if (usable?.join() !== nodeName || claimRef === undefined) continue;
    progress(
      `warning: the persistent volume ${volume.metadata?.name} of ${claimRef.namespace}/${claimRef.name} was on ${name} alone: its data is gone with it`,
    );
  }
}
