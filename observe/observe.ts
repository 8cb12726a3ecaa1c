import * as pulumi from "@pulumi/pulumi";
import type { EtcdMember } from "../acts/etcdMembers.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { judge, type Judgement } from "./judge.ts";
import { look, lookAtEtcd } from "./look.ts";
import { membersOf, notAsked } from "./members.ts";
import type { Observation } from "./observation.ts";
import { RefusedError } from "./refusedError.ts";

/**
 * Looks at every machine of the plan before anything runs, in a preview too. It refuses and informs, and never changes
 * what the plan registers.
 *
 * @throws RefusedError with every fault of every machine
 */
export async function observe(plan: ClusterPlan): Promise<void> {
  const { faults, warnings } = await judgeWorld(plan);
  for (const warning of [...plan.warnings, ...warnings]) await pulumi.log.warn(warning);
  if (faults.length > 0) throw new RefusedError(faults);
}

/** Looks at every machine at once and judges the plan by it; bounded to a few seconds. */
export async function judgeWorld(plan: ClusterPlan): Promise<Judgement> {
  const observations = await Promise.all(plan.machines.map((machine) => look(machine, plan)));
  return judge(plan, observations, await members(plan, observations));
}

/** The members as the servers told; a member that is to leave is on a machine that has no role any more. */
async function members(
  plan: ClusterPlan,
  observations: readonly Observation[],
): Promise<EtcdMember[] | undefined> {
  const told = observations.flatMap((seen) => (seen.state === "seen" ? (seen.etcd ?? []) : []));
  const servers = observations.filter(({ machine }) =>
    plan.servers.some(({ name }) => name === machine),
  );
  const others = plan.peers.filter(({ name }) => !servers.some(({ machine }) => machine === name));
  const asked = await Promise.all(notAsked(told, others).map((peer) => lookAtEtcd(peer, plan)));
  return membersOf([...told, ...asked.filter((answer) => answer !== undefined)]);
}
