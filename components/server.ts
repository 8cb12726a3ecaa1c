import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import { accessRequest, machineRequest } from "./access.ts";
import { after } from "./after.ts";
import { actCommand } from "./command.ts";

export interface ServerArgs {
  readonly machine: MachinePlan;
  readonly plan: ClusterPlan;
  /** Text of the API servers' audit policy, empty for none. */
  readonly auditPolicy: string;
  /** The memberships before this one in the list: servers join in its order, one at a time. */
  readonly comesAfter: readonly pulumi.Resource[];
}

/**
 * A machine that is a server of the cluster, the initial one too. Deleting it lets it leave: out of the load balancers
 * and of etcd, then cleaned. Nothing may depend on it, so that any one server can go without touching the rest.
 */
export class Server extends pulumi.ComponentResource {
  readonly membership: pulumi.Resource;

  constructor(
    name: string,
    { machine, plan, auditPolicy, comesAfter }: ServerArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("triad:index:Server", name, {}, opts);
    this.membership = actCommand(
      `${name}-membership`,
      "membership",
      after(comesAfter, {
        ...accessRequest(plan),
        version: plan.version,
        machine: machineRequest(machine),
        flags: plan.flags,
        auditPolicy,
        loadBalancers: plan.loadBalancers.map(machineRequest),
        endpoint: plan.endpoint,
      }),
      { parent: this },
    );
    this.registerOutputs({});
  }
}
