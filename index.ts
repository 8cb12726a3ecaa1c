import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster.ts";
import { ConfigError } from "./config/configError.ts";
import { dnsTsigSecret, loadConfig, proxmoxToken, vmSecrets } from "./config/load.ts";
import { observe } from "./observe/observe.ts";
import { RefusedError } from "./observe/refusedError.ts";
import { type ClusterPlan, type MachinePlan, planCluster } from "./plan/clusterPlan.ts";

const plan = await load();
const { auditPolicyFile } = plan;
const cluster = new Cluster(plan.name, {
  plan,
  tsigSecret: dnsTsigSecret(),
  vmSecrets: vmSecrets(),
  auditPolicy: auditPolicyFile === undefined ? "" : readFileSync(auditPolicyFile, "utf8"),
});

export const endpoint = `https://${plan.endpoint.name}:${plan.endpoint.port}`;
export const { servers, verified, fsyncP99Ms } = cluster;
/** Prints an administrator's kubeconfig; the certificate in it expires, so it is fetched when needed. */
export const kubeconfigCommand = kubeconfigFrom(plan.initialServer);

function kubeconfigFrom({ address, ssh }: MachinePlan): string {
  const file = { k3s: "/etc/rancher/k3s/k3s.yaml", kubeadm: "/etc/kubernetes/admin.conf" };
  return `ssh -p ${ssh.port} ${ssh.user}@${address} sudo cat ${file[plan.distribution]}`;
}

async function load(): Promise<ClusterPlan> {
  try {
    const plan = planCluster(loadConfig());
    await observe(plan, proxmoxToken());
    return plan;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof RefusedError)) throw error;
    const refusal = new pulumi.RunError(error.message);
    // The operator can mend it, so no stack is shown; the engine would spend half a minute on colouring one.
    delete refusal.stack;
    throw refusal;
  }
}
