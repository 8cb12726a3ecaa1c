import { parse } from "yaml";
import { z } from "zod";
import { exec } from "../../machines/machine.ts";
import { machinesWith, type Topology } from "../../topology.ts";
import { kubectl } from "../inside.ts";
import { isEndpoint, type Promised } from "./promised.ts";

/** What has to be true of kubeadm's cluster besides. */
export const kubeadmPromises: readonly Promised[] = [
  { sentence: "the workers' kubelets talk to the endpoint", look: kubeletsUseEndpoint },
  { sentence: "cluster-info and kubeadm-config name the endpoint", look: clusterSaysEndpoint },
];

async function kubeletsUseEndpoint(topology: Topology): Promise<string | undefined> {
  for (const { name } of machinesWith(topology, "worker")) {
    const { stdout } = await exec(name, ["cat", "/etc/kubernetes/kubelet.conf"]);
    const server = serverOf(stdout);
    if (!isEndpoint(topology, server)) return `${name} talks to ${server}`;
    // The file says where kubelet will go; its connections say where it goes.
    const sockets = ["ss", "--tcp", "--no-header", "--processes", "state", "established"];
    const { stdout: connections } = await exec(name, sockets);
    const kubelets = connections.split("\n").filter((line) => line.includes('"kubelet"'));
    if (!kubelets.some((line) => line.includes(`${topology.endpoint.address}:`))) {
      return `${name}: kubelet has no connection to ${topology.endpoint.address}`;
    }
  }
  return undefined;
}

async function clusterSaysEndpoint(topology: Topology): Promise<string | undefined> {
  const read = (namespace: string, name: string, key: string): Promise<string> =>
    kubectl(topology, [
      ...["get", "configmap", name, `--namespace=${namespace}`],
      `-o=go-template={{index .data "${key}"}}`,
    ]);
  const info = serverOf(await read("kube-public", "cluster-info", "kubeconfig"));
  if (!isEndpoint(topology, info)) return `cluster-info says ${info}`;
  const config = await read("kube-system", "kubeadm-config", "ClusterConfiguration");
  const { controlPlaneEndpoint } = z
    .object({ controlPlaneEndpoint: z.string().optional() })
    .parse(parse(config));
  const said = `https://${controlPlaneEndpoint ?? ""}`;
  return isEndpoint(topology, said) ? undefined : `kubeadm-config says ${said}`;
}

const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ server: z.string() }) })]),
});

function serverOf(kubeconfig: string): string {
  return kubeconfigSchema.parse(parse(kubeconfig)).clusters[0].cluster.server;
}
