import * as pulumi from "@pulumi/pulumi";
import { type EtcdMember, parseEtcdMembers } from "../acts/etcdMembers.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { connect } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { judge, type Judgement } from "./judge.ts";
import { look } from "./look.ts";
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
  const observations = await Promise.all(plan.machines.map((machine) => look(machine, plan.ssh)));
  return judge(plan, observations, await members(plan, observations));
}

/** Asks the servers one after the other; undefined when none of them answers for etcd. */
async function members(
  plan: ClusterPlan,
  observations: readonly Observation[],
): Promise<EtcdMember[] | undefined> {
  for (const server of plan.servers) {
    const seen = observations.find((one) => one.machine === server.name);
    if (seen?.state !== "seen" || !seen.facts.adminConf) continue;
    try {
      const connection = await connect(server, plan.ssh, 4_000);
      try {
        return parseEtcdMembers(
          await runScript(connection, { script: "kubeadm-etcd.sh", verb: "check" }),
        );
      } finally {
        connection.close();
      }
    } catch {
      continue;
    }
  }
  return undefined;
}
