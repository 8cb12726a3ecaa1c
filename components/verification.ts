import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { after } from "./after.ts";
import { actCommand } from "./command.ts";
import { verificationOf } from "./verificationOf.ts";

export interface VerificationArgs {
  readonly plan: ClusterPlan;
  /** What comes first. */
  readonly comesAfter: readonly pulumi.Resource[];
}

/** What the cluster is once all servers have joined: members, nodes, versions, and what still names the old address. */
export class Verification extends pulumi.ComponentResource {
  readonly found: pulumi.Output<unknown>;

  constructor(
    name: string,
    { plan, comesAfter }: VerificationArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("triad:index:Verification", name, {}, opts);
    const seen = actCommand(
      `${name}-verified`,
      "verification",
      after(comesAfter, verificationOf(plan)),
      { parent: this },
      // Its delete marks the cluster as one that is being destroyed; one that is forgotten gets no mark.
      plan.onDestroy !== "forget",
    );
    this.found = seen.stdout.apply((stdout): unknown => JSON.parse(stdout || "null"));
    this.registerOutputs({ found: this.found });
  }
}
