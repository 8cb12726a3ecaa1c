import { z } from "zod";
import { exec } from "../machines/machine.ts";
import type { Topology } from "../topology.ts";
import { kubectl } from "./inside.ts";
import type { NodeState, Report, Size } from "./report.ts";
import { writerNamespace } from "./writes.ts";

const controlPlane = "node-role.kubernetes.io/control-plane";
const nodesSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }),
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })),
        nodeInfo: z.object({ kubeletVersion: z.string() }),
      }),
    }),
  ),
});

/** Every Node, as the API shows it now. */
export async function readNodes(topology: Topology): Promise<NodeState[]> {
  const list = nodesSchema.parse(JSON.parse(await kubectl(topology, ["get", "nodes", "-o=json"])));
  return list.items.map(({ metadata, status }) => ({
    name: metadata.name,
    role: controlPlane in metadata.labels ? "server" : "worker",
    ready: status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True"),
    version: status.nodeInfo.kubeletVersion,
  }));
}

/** Counts servers and objects. Events come and go by themselves, and the writer's objects are counted as writes. */
export async function readSize(topology: Topology): Promise<Size> {
  const kinds = await kubectl(topology, ["api-resources", "--verbs=list", "-o=name"]);
  const listed = kinds.split("\n").filter((kind) => kind !== "" && !/^events(\.|$)/.test(kind));
  const line = `{{range .items}}{{.kind}} {{.metadata.namespace}}{{"\\n"}}{{end}}`;
  const all = ["get", listed.join(","), "--all-namespaces", `-o=go-template=${line}`];
  const objects = (await kubectl(topology, all)).split("\n").filter((text) => text !== "");
  const nodes = await readNodes(topology);
  return {
    servers: nodes.filter(({ role }) => role === "server").length,
    objects: objects.filter((text) => text !== `ConfigMap ${writerNamespace}`).length,
  };
}

const membersSchema = z.object({
  members: z.array(z.object({ name: z.string().optional(), isLearner: z.boolean().optional() })),
});

/**
 * Counts etcd's members, asked linearizably on one server through etcd's own gateway.
 * @throws when that server's etcd does not answer, as without a quorum
 */
export async function readEtcd(server: string): Promise<Report["etcd"]> {
  const pki = "/etc/kubernetes/pki/etcd";
  const client = [
    ...["--cacert", `${pki}/ca.crt`],
    ...["--cert", `${pki}/healthcheck-client.crt`, "--key", `${pki}/healthcheck-client.key`],
  ];
  const url = "https://127.0.0.1:2379/v3/cluster/member/list";
  const options = ["--silent", "--show-error", "--fail", "--max-time", "5"];
  const argv = ["curl", ...options, ...client, "--data", '{"linearizable":true}', url];
  const { stdout, stderr, exitCode } = await exec(server, argv);
  if (exitCode !== 0) throw new Error(`${server}: etcd does not answer: ${stderr.trim()}`);
  const { members } = membersSchema.parse(JSON.parse(stdout));
  const learners = members.filter(({ isLearner }) => isLearner === true).length;
  return { voters: members.length - learners, learners };
}
