import type { EtcdMember } from "../acts/etcdMembers.ts";
import type { Sight } from "../acts/external/lookThrough.ts";
import { isDead, neverReached, sightFaults } from "../acts/external/sightFaults.ts";
import { balancerText } from "../plan/balancerText.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import type { Judgement } from "./judge.ts";
import { leaversOf } from "./leavers.ts";

/** What the look through an endpoint says that somebody else balances. */
export interface EndpointJudgement extends Judgement {
  /** The text for the balancer, where it is not as the plan will need it. */
  readonly notes: readonly string[];
}

/** What was seen of an endpoint that somebody else balances. */
export interface EndpointFacts {
  readonly sight: Sight;
  /** What is wrong with its name. */
  readonly name: readonly string[];
}

/**
 * Judges an endpoint that Triad does not configure, before anything runs. It is refused where the run would need it and
 * it leads nowhere, or where it leads only to servers that leave; what else is wrong is said at every run.
 *
 * @param members etcd's; none on a cluster that is still to be made
 */
export function judgeEndpoint(
  plan: ClusterPlan,
  { sight, name }: EndpointFacts,
  members: readonly EtcdMember[],
): EndpointJudgement {
  const servers = present(plan.servers).map((server) => server.name);
  const grows = present(plan.servers).some(({ address }) => !isMember(address, members));
  const serving = sight.direct.some(({ answer }) => answer?.status === 200);
  // Before there is a cluster nobody stands behind it. Certificates get the endpoint's names in this run.
  const wrong = serving ? sightFaults(sight, plan.endpoint, servers) : [];
  const needed = grows && members.length > 0 && serving && isDead(sight);
  const faults = [...(needed ? wrong : []), ...onlyLeavers(plan, sight, members)];
  const warnings = [...name, ...(needed ? [] : wrong)];
  const ready = servers.every((server) => sight.reached[server] !== undefined);
  const notes = ready && wrong.length === 0 ? [] : [textFor(plan)];
  return { faults, warnings, notes };
}

/** For whoever runs the balancer. */
export function textFor(plan: ClusterPlan): string {
  const { haproxy, pfSense } = balancerText(plan);
  const who = present(plan.servers).map(({ name }) => name);
  return `for the balancer at ${plan.endpoint.address}, which Triad does not configure, with ${who.join(", ")} (a server that is none yet does no harm, as it is checked).
In haproxy.cfg:

${haproxy}
or with pfSense's package haproxy:

${pfSense}`;
}

function onlyLeavers(
  plan: ClusterPlan,
  sight: Sight,
  members: readonly EtcdMember[],
): readonly string[] {
  const reached = Object.keys(sight.reached);
  const leavers = plan.onDestroy === "forget" ? [] : leaversOf(plan, members);
  if (leavers.length === 0 || isDead(sight)) return [];
  if (!reached.every((one) => leavers.some(({ name }) => name === one))) return [];
  const staying = present(plan.servers).map(({ name }) => name);
  const left = neverReached(sight, staying);
  return [
    `endpoint: it leads to ${reached.join(" and ")} only, which ${reached.length === 1 ? "leaves" : "leave"}; see that the balancer knows ${(left.length === 0 ? staying : left).join(", ")} and calls them up first`,
  ];
}

function isMember(address: string, members: readonly EtcdMember[]): boolean {
  return members.some(({ peerAddress }) => peerAddress === address);
}
