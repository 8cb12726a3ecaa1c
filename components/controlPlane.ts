import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { accessRequest, machineRequest } from "./access.ts";
import { actCommand } from "./command.ts";

export interface ControlPlaneArgs {
  readonly plan: ClusterPlan;
}

/**
 * The cluster exists and has its endpoint: adopted and retrofitted without a restart, or created where the config
 * allows it, after a backup that a longer list of servers renews. Deleting it does nothing: a cluster that is forgotten
 * runs on.
 */
export class ControlPlane extends pulumi.ComponentResource {
  constructor(name: string, { plan }: ControlPlaneArgs, opts?: pulumi.ComponentResourceOptions) {
    super("triad:index:ControlPlane", name, {}, opts);
    const access = accessRequest(plan);
    const backup = actCommand(
      `${name}-backup`,
      "backup",
      {
        ...access,
        clusterName: plan.name,
        initialise: plan.initialise,
        directory: plan.backup.directory,
        servers: plan.servers.map((server) => server.nodeName),
      },
      { parent: this },
    );
    actCommand(
      `${name}-control-plane`,
      "controlPlane",
      {
        ...access,
        clusterName: plan.name,
        version: plan.version,
        initialise: plan.initialise,
        initialServer: machineRequest(plan.initialServer),
        loadBalancers: plan.loadBalancers.map(machineRequest),
        endpoint: plan.endpoint,
        podCidr: plan.podCidr,
        serviceCidr: plan.serviceCidr,
        flags: plan.flags,
      },
      { parent: this, dependsOn: backup },
    );
    this.registerOutputs({});
  }
}
