import type { Progress } from "./act.ts";
import { demoteNode } from "./demoteNode.ts";
import { isMember } from "./etcdMembers.ts";
import { forgetNode } from "./forgetNode.ts";
import { type Becomes, connectLeaver, LeaverMachine } from "./leaverMachine.ts";
import { hidden } from "./hidden.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { settleMachine } from "./machineLock.ts";
import { becomesOf } from "./nodes.ts";
import { heartbeat, pointWorker, readyAgain } from "./pointWorker.ts";
import { staysAway } from "./removeMembers.ts";
import type { MembershipRequest } from "./request.ts";
import { type Leave, retireServer } from "./retireServer.ts";

/**
 * A server leaves, or goes on leaving from wherever an earlier run was cut off. As long as its member is in etcd's list
 * there is a way back, which is taken when something refuses; afterwards there is only the way on. The Lease is held.
 *
 * @throws ActError, ScriptError, SshError; run again, it goes on from what it finds
 */
export async function leave(
  cluster: LiveCluster,
  request: MembershipRequest,
  left: Leave,
  progress: Progress,
): Promise<void> {
  try {
    const connection = await connectLeaver(request);
    try {
      await settleMachine(connection, progress);
      const leaver = new LeaverMachine(connection, request, whatBecomes(request, left), progress);
      if (await isMember(cluster, request.machine)) {
        await retireServer(cluster, request, leaver, left, progress);
      }
      await clean(cluster, request, leaver, progress);
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(await isMember(cluster, request.machine).catch(() => true))) {
      progress(
        `${request.machine.name} is out of etcd, and not wholly cleaned yet: the same command, run again, goes on from there`,
      );
    }
    throw error;
  }
}

/**
 * What the machine is once it has left. A cluster that ends has no use for a worker more: what is wiped with all the rest
 * is cleaned, whatever it was to become or was before.
 */
export function whatBecomes(
  { becomes }: Pick<MembershipRequest, "becomes">,
  { node, dataMayGo }: Leave,
): Becomes | undefined {
  return dataMayGo ? "cleaned" : (becomes ?? becomesOf(node));
}

/** The machine is cleaned, or a worker, and the cluster knows. */
async function clean(
  cluster: LiveCluster,
  request: MembershipRequest,
  leaver: LeaverMachine,
  progress: Progress,
): Promise<void> {
  const { machine } = request;
  const before = await heartbeat(cluster, machine.nodeName).catch(() => "");
  // Where its member was removed before it had retired, as by hand: it must not start again.
  await leaver.retire();
  // Of two voters the one that leaves has run until now.
  const worker = await hidden(cluster, machine, progress, () => leaver.clean());
  await staysAway(cluster, machine, progress);
  if (worker) {
    await demoteNode(cluster, machine.nodeName);
    await pointWorker(cluster, request, progress);
    await readyAgain(cluster, machine.nodeName, before, progress);
  } else {
    await forgetNode(cluster, machine.nodeName, progress);
  }
  progress(`${machine.name} has left${worker ? " and is a worker" : ""}`);
}
