import * as pulumi from "@pulumi/pulumi";
import type { EtcdMember } from "../acts/etcdMembers.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { judge, type Judgement } from "./judge.ts";
import { judgeLeaving } from "./judgeLeaving.ts";
import { changeNotes, pausedServers } from "./leavers.ts";
import { look, lookAtEtcd } from "./look.ts";
import { membersOf, notAsked } from "./members.ts";
import type { Observation } from "./observation.ts";
import { judgeEndpoint } from "./judgeEndpoint.ts";
import { lookAtEndpoint } from "./lookAtEndpoint.ts";
import { observeProxmox } from "./proxmox/observeProxmox.ts";
import { present } from "../plan/present.ts";
import { RefusedError } from "./refusedError.ts";

/**
 * Looks at every machine of the plan before anything runs, in a preview too. It refuses and informs, and never changes
 * what the plan registers.
 *
 * @param proxmoxToken of Proxmox's API, where machines are created
 * @throws RefusedError with every fault of every machine
 */
export async function observe(plan: ClusterPlan, proxmoxToken?: string): Promise<void> {
  const { faults, notes, warnings } = await judgeWorld(plan, proxmoxToken);
  for (const note of notes) await pulumi.log.info(note);
  for (const warning of [...plan.warnings, ...warnings]) await pulumi.log.warn(warning);
  if (faults.length > 0) throw new RefusedError(faults);
}

/** What the world says of the plan, and what will change in etcd. */
export interface WorldJudgement extends Judgement {
  /** Good to know before it happens. */
  readonly notes: readonly string[];
}

/** Looks at every machine at once and judges the plan by it; bounded to a few seconds. */
export async function judgeWorld(
  plan: ClusterPlan,
  proxmoxToken?: string,
): Promise<WorldJudgement> {
  const proxmox = await observeProxmox(plan, proxmoxToken);
  const there = plan.machines.filter(({ name }) => !proxmox.absent.includes(name));
  const [observations, external] = await Promise.all([
    Promise.all(there.map((machine) => look(machine, plan))),
    lookAtEndpoint(plan, proxmox.absent),
  ]);
  const known = await members(plan, observations);
  const judgement = judge(plan, observations, known);
  const leaving = await judgeLeaving(plan, known ?? []);
  const endpoint = external && judgeEndpoint(plan, external, known ?? []);
  return {
    faults: [
      ...proxmox.faults,
      ...judgement.faults,
      ...pausedServers(plan, known ?? []),
      ...leaving.faults,
      ...(endpoint?.faults ?? []),
    ],
    warnings: [
      ...proxmox.warnings,
      ...judgement.warnings,
      ...leaving.warnings,
      ...(endpoint?.warnings ?? []),
    ],
    notes: [...proxmox.notes, ...changeNotes(plan, known ?? []), ...(endpoint?.notes ?? [])],
  };
}

/** The members as the servers told; a member that is to leave is on a machine that has no role any more. */
async function members(
  plan: ClusterPlan,
  observations: readonly Observation[],
): Promise<EtcdMember[] | undefined> {
  const living = present(plan.machines);
  const told = observations
    .filter(({ machine }) => living.some(({ name }) => name === machine))
    .flatMap((seen) => (seen.state === "seen" ? (seen.etcd ?? []) : []));
  const servers = observations.filter(({ machine }) =>
    plan.servers.some(({ name }) => name === machine),
  );
  const others = present(plan.peers).filter(
    ({ name }) => !servers.some(({ machine }) => machine === name),
  );
  const asked = await Promise.all(notAsked(told, others).map((peer) => lookAtEtcd(peer, plan)));
  return membersOf([...told, ...asked.filter((answer) => answer !== undefined)]);
}
