import { cordonedAnnotation } from "../acts/cordon.ts";
import type { EtcdMember } from "../acts/etcdMembers.ts";
import { leaveFacts } from "../acts/leaveFacts.ts";
import { leaveFaults } from "../acts/leaveFaults.ts";
import { findLiveCluster, type LiveCluster } from "../acts/liveCluster.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import type { Judgement } from "./judge.ts";
import {
  halfGone,
  leaversOf,
  membersOnceJoined,
  type PlannedLeaver,
  silentLeaver,
} from "./leavers.ts";
import { look } from "./look.ts";

const nothing: Judgement = { faults: [], warnings: [] };
const findLimitMs = 10_000;

/**
 * What stands against the servers that this run lets go, all of it at once and before anything is touched; and which
 * server of the list a run that was cut off had begun to let go.
 *
 * @param members etcd's; without any nobody can be judged here, and the leave looks for itself
 */
export async function judgeLeaving(
  plan: ClusterPlan,
  members: readonly EtcdMember[],
): Promise<Judgement> {
  if (members.length === 0) return nothing;
  const leavers = plan.onDestroy === "forget" ? [] : leaversOf(plan, members);
  try {
    const cluster = await liveCluster(plan);
    try {
      const [faults, warnings] = await Promise.all([
        faultsOf(cluster, plan, leavers),
        halfGoneServers(cluster, plan),
      ]);
      return { faults, warnings };
    } finally {
      cluster.close();
    }
  } catch (error) {
    if (leavers.length === 0) return nothing;
    const [reason] = String(error).split("\n");
    const names = leavers.map(({ name }) => name).join(" and ");
    return {
      faults: [],
      warnings: [
        `${names}: whether it may leave is seen when it does, as the API could not be asked (${reason})`,
      ],
    };
  }
}

async function liveCluster({ distribution, peers, ssh }: ClusterPlan): Promise<LiveCluster> {
  const access = { distribution, identity: ssh, peers: [...peers] };
  return await findLiveCluster(access, () => undefined, [], findLimitMs);
}

async function faultsOf(
  cluster: LiveCluster,
  plan: ClusterPlan,
  leavers: readonly PlannedLeaver[],
): Promise<string[]> {
  if (leavers.length === 0) return [];
  const [facts, silent] = await Promise.all([
    leaveFacts(cluster, leavers, { version: plan.version }),
    Promise.all(leavers.map((leaver) => whySilent(leaver, plan))),
  ]);
  const ours = silent.filter(({ nodeName }) => facts.marked.includes(nodeName));
  const then = { ...facts, members: membersOnceJoined(plan, facts.members) };
  return [...ours.flatMap(({ faults }) => faults), ...leaveFaults(then, leavers)];
}

async function whySilent(
  leaver: PlannedLeaver,
  plan: ClusterPlan,
): Promise<{ nodeName: string; faults: string[] }> {
  const { nodeName } = leaver;
  if (leaver.gone) return { nodeName, faults: [silentLeaver(leaver, "")] };
  // As a worker: its etcd has been asked already.
  const seen = await look({ ...leaver, role: "worker" }, plan);
  return { nodeName, faults: seen.state === "seen" ? [] : [silentLeaver(leaver, seen.reason)] };
}

async function halfGoneServers(cluster: LiveCluster, plan: ClusterPlan): Promise<string[]> {
  const nodes = (await cluster.core.listNode()).items.filter(
    ({ metadata }) => metadata?.annotations?.[cordonedAnnotation] === "leaving",
  );
  return present(plan.servers)
    .filter(({ nodeName }) => nodes.some(({ metadata }) => metadata?.name === nodeName))
    .map(({ name }) => halfGone(name));
}
