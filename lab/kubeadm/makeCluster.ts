import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { imageNames } from "../artifacts/images.ts";
import { exec } from "../machines/machine.ts";
import { projectFolder } from "../paths.ts";
import { progress } from "../progress.ts";
import type { LabMachine, Topology } from "../topology.ts";
import { keepsakeManifests, workload } from "./workload.ts";

/** kubectl on the server, as its owner uses it. */
export const kubectl = ["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"] as const;

/**
 * Makes the before-state by hand, the way the documentation of Kubernetes says: one server without a
 * controlPlaneEndpoint, workers joined to its address, flannel, and something that runs.
 * @throws Error with what the failing command said.
 */
export async function makeCluster(
  topology: Topology,
  server: LabMachine,
  workers: readonly LabMachine[],
): Promise<void> {
  const machines = [server, ...workers];
  progress(`installing Kubernetes ${topology.kubernetesVersion} on ${names(machines)} by hand`);
  const mirror = `http://${topology.operatorAddress}:${String(topology.mirrorPort)}`;
  const install = await source("install.sh");
  await Promise.all(
    machines.map((machine) =>
      mustExec(machine, ["bash", "-s", topology.kubernetesVersion, mirror], install),
    ),
  );
  progress(`kubeadm init on ${server.name}`);
  const configuration = fill(await source("cluster.yaml"), topology, server);
  await mustExec(server, ["sh", "-c", "cat >/root/kubeadm.yaml"], configuration);
  await mustExec(server, ["kubeadm", "init", "--config=/root/kubeadm.yaml"]);
  await apply(server, fill(await source("flannel.yaml"), topology, server));
  const join = await mustExec(server, ["kubeadm", "token", "create", "--print-join-command"]);
  progress(`kubeadm join on ${names(workers)}`);
  await Promise.all(workers.map((worker) => mustExec(worker, join.trim().split(/\s+/))));
  progress("something that runs, and things worth keeping");
  await apply(server, fill(await source("workload.yaml"), topology, server));
  await apply(server, keepsakeManifests());
  await untilWhole(server, machines.length);
}

/** Waits until all nodes are Ready and everything that should run does. */
export async function untilWhole(server: LabMachine, nodes: number): Promise<void> {
  const wait = "--timeout=180s";
  await mustExec(server, [
    "timeout",
    "120",
    "bash",
    "-c",
    `until [ "$(${kubectl.join(" ")} get nodes --no-headers 2>/dev/null | grep -cw Ready)" = ${String(nodes)} ]; do sleep 0.3; done`,
  ]);
  for (const [namespace, what] of [
    ["kube-flannel", "daemonset/kube-flannel-ds"],
    ["kube-system", "daemonset/kube-proxy"],
    ["kube-system", "deployment/coredns"],
    [workload.namespace, "deployment/hello"],
  ] as const) {
    await mustExec(server, [...kubectl, "rollout", "status", "-n", namespace, what, wait]);
  }
}

async function apply(server: LabMachine, manifests: string): Promise<void> {
  await mustExec(server, [...kubectl, "apply", "-f", "-"], manifests);
}

async function mustExec(
  machine: LabMachine,
  argv: readonly string[],
  input?: string,
): Promise<string> {
  const result = await exec(machine.name, argv, input === undefined ? {} : { input });
  if (result.exitCode === 0) return result.stdout;
  const said = `${result.stdout}\n${result.stderr}`.trim();
  throw new Error(
    `${machine.name}: \`${argv.join(" ")}\` ended with ${String(result.exitCode)}:\n${said}`,
  );
}

async function source(file: string): Promise<string> {
  return await readFile(join(projectFolder, "lab", "kubeadm", file), "utf8");
}

function fill(text: string, topology: Topology, server: LabMachine): string {
  const values: Readonly<Record<string, string>> = {
    SERVER_ADDRESS: server.address,
    VERSION: topology.kubernetesVersion,
    POD_CIDR: topology.podCidr,
    SERVICE_CIDR: topology.serviceCidr,
    FLANNEL_IMAGE: imageNames.flannel,
    FLANNEL_CNI_IMAGE: imageNames.flannelCni,
    PROBER_IMAGE: imageNames.prober,
    WORKLOAD_ANSWER: workload.answer,
  };
  return text.replace(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole);
}

function names(machines: readonly LabMachine[]): string {
  return machines.map(({ name }) => name).join(", ");
}
