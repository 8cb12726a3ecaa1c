import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster.ts";
import { ConfigError } from "./config/configError.ts";
import { dnsTsigSecret, loadConfig } from "./config/load.ts";
import { observe } from "./observe/observe.ts";
import { RefusedError } from "./observe/refusedError.ts";
import { type ClusterPlan, planCluster } from "./plan/clusterPlan.ts";

const plan = await load();
const policyFile = plan.apiServer.auditPolicyFile;
const cluster = new Cluster(plan.name, {
  plan,
  tsigSecret: dnsTsigSecret(),
  auditPolicy: policyFile === undefined ? "" : readFileSync(policyFile, "utf8"),
});

export const endpoint = `https://${plan.endpoint.name}:${plan.endpoint.port}`;
export const { verified, fsyncP99Ms } = cluster;

async function load(): Promise<ClusterPlan> {
  try {
    const plan = planCluster(loadConfig());
    await observe(plan);
    return plan;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof RefusedError)) throw error;
    const refusal = new pulumi.RunError(error.message);
    // The operator can mend it, so no stack is shown; the engine would spend half a minute on colouring one.
    delete refusal.stack;
    throw refusal;
  }
}
