import type { V1Node } from "@kubernetes/client-node";
import { connect, SshError } from "../ssh/connection.ts";
import { ActError, type Progress } from "./act.ts";
import { cordon, isLeaving, uncordon } from "./cordon.ts";
import { drainNode } from "./drainNode.ts";
import { etcdMembers, isMember } from "./etcdMembers.ts";
import { handOverLeadership } from "./handOverLeadership.ts";
import { hidden } from "./hidden.ts";
import { leaveGate } from "./leaveGate.ts";
import { LeaverMachine } from "./leaverMachine.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { drainServer, enableServer, stopDrained } from "./loadBalancers.ts";
import { reasonOf } from "./reasonOf.ts";
import { removeMembers } from "./removeMembers.ts";
import type { MembershipRequest } from "./request.ts";

/** What is known of a server that leaves. */
export interface Leave {
  readonly node: V1Node | undefined;
  /** Whether the whole cluster is being wiped, with all that is in it; or somebody agreed to lose what is only there. */
  readonly dataMayGo: boolean;
  /** Whether its pods go elsewhere in any case. Default: where they must not lose data, and it is no worker afterwards. */
  readonly clearsPods?: boolean;
}

/**
 * From a whole server, or one that had begun to leave, to one whose member is removed; or back, when something refuses.
 * The Lease is held.
 */
export async function retireServer(
  cluster: LiveCluster,
  request: MembershipRequest,
  leaver: LeaverMachine,
  { node, dataMayGo, clearsPods }: Leave,
  progress: Progress,
): Promise<void> {
  const { machine, version } = request;
  const { retired, worker } = await leaver.state();
  const way = { begun: retired || isLeaving(node), retired, removing: false };
  // A cluster that is wiped has no clients any more, and somebody else's balancer may lead to this server alone.
  const unasked = request.balancers === "external" && dataMayGo && clearsPods !== true;
  const balanced = unasked ? { ...request, balancers: [] } : request;
  try {
    await leaveGate(
      cluster,
      { ...machine, becomes: worker ? "worker" : undefined },
      { version, dataMayGo },
      progress,
    );
    way.begun = true;
    await drainServer(cluster, balanced, progress);
    await handOverLeadership(cluster, machine, await etcdMembers(cluster), progress);
    // A worker's pods run on. One that has retired was drained before, and its kubelet may have ended. In a cluster that
    // is wiped they have nowhere to go.
    if (!retired && (clearsPods ?? (!worker && !dataMayGo))) {
      await clearPods(cluster, request, progress);
    }
    way.retired = true;
    await stopDrained(balanced, progress, () =>
      hidden(cluster, machine, progress, () => leaver.retire()),
    );
    // While its etcd still runs: of two members the other one could not remove it alone.
    await removeMembers(cluster, machine, progress, () => (way.removing = true));
  } catch (error) {
    const isThere = way.removing ? await isMember(cluster, machine).catch(() => undefined) : true;
    // It may have been removed: a server that starts then would join again.
    if (isThere === undefined) throw unconfirmed(machine.name, error);
    if (way.begun && isThere)
      await goBack(cluster, request, way.retired ? leaver : undefined, progress);
    throw error;
  }
}

function unconfirmed(name: string, error: unknown): ActError {
  const [seen] = reasonOf(error).split("\n");
  return new ActError(
    `${name} serves no more, and nobody can tell whether etcd has removed its member: ${seen}`,
    "where the member is still in the list, the others may have no quorum without it, and the API may not answer",
    `run the same command again: it goes on from there, and starts ${name} first where the others have no quorum`,
  );
}

async function clearPods(
  cluster: LiveCluster,
  { machine }: MembershipRequest,
  progress: Progress,
): Promise<void> {
  await cordon(cluster, machine, "leaving", progress);
  const draining = {
    why: "its pods would end without their disruption budgets being asked",
    cure: `${machine.name} stays a server; make room for these pods, or change what holds them, then run this again`,
  };
  await drainNode(cluster, machine.nodeName, draining, progress);
}

/**
 * What a leave has begun is taken back, as far as it can be: the server stays whole.
 * @param retired the machine, where it may have retired
 */
async function goBack(
  cluster: LiveCluster,
  request: MembershipRequest,
  retired: LeaverMachine | undefined,
  progress: Progress,
): Promise<void> {
  const { machine } = request;
  progress(`${machine.name} stays a server`);
  for (const step of [
    async () => await stay(request, retired, progress),
    async () => await uncordon(cluster, machine, progress),
    async () => await enableServer(cluster, request, progress),
  ]) {
    await step().catch((error: unknown) => {
      progress(`warning: ${reasonOf(error)}`);
    });
  }
}

async function stay(
  request: MembershipRequest,
  retired: LeaverMachine | undefined,
  progress: Progress,
): Promise<void> {
  if (retired === undefined) return;
  try {
    await retired.stay().catch(async (error: unknown) => {
      if (!(error instanceof SshError)) throw error;
      // The connection may be all that has failed.
      const connection = await connect(request.machine, request.identity);
      try {
        await new LeaverMachine(connection, request, undefined, progress).stay();
      } finally {
        connection.close();
      }
    });
  } catch (error) {
    const reason = reasonOf(error);
    progress(
      `warning: ${request.machine.name} may be kept from starting again (${reason}): run this again once it answers, it goes on from there`,
    );
  }
}
