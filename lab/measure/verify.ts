import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { exec } from "../machines/machine.ts";
import { must } from "../machines/shell.ts";
import type { LabRole, Topology } from "../topology.ts";
import { workload } from "../kubeadm/workload.ts";
import { readEtcd, readNodes } from "./clusterState.ts";
import { fetchInCluster } from "./inCluster.ts";
import { inside, kubectl } from "./inside.ts";
import { outFolder, pulumi } from "./pulumi.ts";

/** Something that has to be true now. */
export interface Promised {
  readonly sentence: string;
  /** Gives what is wrong instead; nothing when it is as promised. */
  readonly look: (topology: Topology) => Promise<string | undefined>;
}

/** What has to be true of a lab whose servers are all on the list. */
export const promises: readonly Promised[] = [
  { sentence: "etcd has a voter on every server and no learner", look: votersAreThere },
  { sentence: "every node is ready", look: nodesAreReady },
  { sentence: "the workload answers through its Service", look: serviceAnswers },
  { sentence: "the workload answers by its name in DNS", look: nameAnswers },
  { sentence: "every API server's certificate has the endpoint's address and name", look: names },
  { sentence: "the workers' kubelets talk to the endpoint", look: kubeletsUseEndpoint },
  { sentence: "cluster-info and kubeadm-config name the endpoint", look: clusterSaysEndpoint },
  { sentence: "a preview expects no changes", look: previewIsEmpty },
];

async function votersAreThere(topology: Topology): Promise<string | undefined> {
  const servers = withRole(topology, "server");
  const { voters, learners } = await readEtcd(servers[0]?.name ?? "");
  if (voters === servers.length && learners === 0) return undefined;
  return `${String(voters)} voters and ${String(learners)} learners`;
}

async function nodesAreReady(topology: Topology): Promise<string | undefined> {
  const nodes = await readNodes(topology);
  const expected = [...withRole(topology, "server"), ...withRole(topology, "worker")];
  const missing = expected.filter(
    ({ name, role }) =>
      !nodes.some((node) => node.name === name && node.role === role && node.ready),
  );
  return missing.length === 0 ? undefined : `not so: ${missing.map(({ name }) => name).join(", ")}`;
}

async function serviceAnswers(topology: Topology): Promise<string | undefined> {
  const ip = ["get", "service", workload.service, `--namespace=${workload.namespace}`];
  const address = await kubectl(topology, [...ip, "-o=jsonpath={.spec.clusterIP}"]);
  const url = `http://${address}/`;
  for (const { name } of withRole(topology, "worker")) {
    const { stdout, stderr } = await exec(name, ["curl", "-sS", "--max-time", "5", url]);
    if (!stdout.includes(workload.answer)) return `${name} got from ${url}: ${stdout}${stderr}`;
  }
  return undefined;
}

async function nameAnswers(topology: Topology): Promise<string | undefined> {
  const answer = await fetchInCluster(topology, `http://${workload.host}/`);
  return answer.includes(workload.answer) ? undefined : `${workload.host} answers: ${answer}`;
}

async function names(topology: Topology): Promise<string | undefined> {
  const servers = withRole(topology, "server").map(({ address }) => `${address}:6443`);
  const program = join(import.meta.dirname, "servedNames.ts");
  const printed = await must(inside(topology, [process.execPath, program, ...servers]));
  const served = z.record(z.string(), z.string()).parse(JSON.parse(printed));
  const { name, address } = topology.endpoint;
  const lacking = servers.filter((server) => {
    const has = served[server]?.split(", ") ?? [];
    return !has.includes(`DNS:${name}`) || !has.includes(`IP Address:${address}`);
  });
  return lacking.length === 0 ? undefined : `not on ${lacking.join(", ")}`;
}

async function kubeletsUseEndpoint(topology: Topology): Promise<string | undefined> {
  for (const { name } of withRole(topology, "worker")) {
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

async function previewIsEmpty(topology: Topology): Promise<string | undefined> {
  const args = ["preview", "--expect-no-changes", "--diff"];
  const { exitCode, output } = await pulumi(topology, "preview", args);
  if (exitCode === 0) return undefined;
  const wanted = output.split("\n").filter((line) => /^ +[~+-]|^error:/.test(line));
  return `${wanted.slice(-3).join("; ")}: ${join(outFolder, "preview.log")}`;
}

function withRole(topology: Topology, role: LabRole): Topology["machines"] {
  return topology.machines.filter((machine) => machine.role === role);
}

function isEndpoint({ endpoint }: Topology, url: string): boolean {
  const hosts = [endpoint.name, endpoint.address];
  return hosts.some((host) => url === `https://${host}:${String(endpoint.port)}`);
}

const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ server: z.string() }) })]),
});

function serverOf(kubeconfig: string): string {
  return kubeconfigSchema.parse(parse(kubeconfig)).clusters[0].cluster.server;
}
