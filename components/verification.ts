import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { accessRequest, machineRequest } from "./access.ts";
import { after } from "./after.ts";
import { actCommand } from "./command.ts";

export interface VerificationArgs {
  readonly plan: ClusterPlan;
  /** What comes first. */
  readonly comesAfter: readonly pulumi.Resource[];
}

/** What the cluster is once all servers have joined: members, nodes, versions, and what still names the old address. */
export class Verification extends pulumi.ComponentResource {
  readonly found: pulumi.Output<unknown>;

  constructor(name: string, { plan, comesAfter }: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("triad:index:Verification", name, {}, opts);
    const seen = actCommand(
      `${name}-verified`,
      "verification",
      after(comesAfter, {
        ...accessRequest(plan),
        endpoint: plan.endpoint,
        servers: plan.servers.map((server) => server.nodeName),
        initialServer: machineRequest(plan.initialServer),
        workers: plan.workers.map(machineRequest),
        loadBalancers: plan.loadBalancers.map(machineRequest),
      }),
      { parent: this },
    );
    this.found = seen.stdout.apply((stdout): unknown => JSON.parse(stdout || "null"));
    this.registerOutputs({ found: this.found });
  }
}
