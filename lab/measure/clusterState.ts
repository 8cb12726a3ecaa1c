import { z } from "zod";
import type { Topology } from "../topology.ts";
import { askEtcd } from "./askEtcd.ts";
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

/**
 * Every object as kind, namespace and name. Events come and go by themselves, and the writer's objects are counted as
 * writes: both are left out.
 */
export async function readObjects(topology: Topology): Promise<string[]> {
  const kinds = await kubectl(topology, ["api-resources", "--verbs=list", "-o=name"]);
  const listed = kinds.split("\n").filter((kind) => kind !== "" && !/^events(\.|$)/.test(kind));
  const line = `{{range .items}}{{.kind}} {{.metadata.namespace}} {{.metadata.name}}{{"\\n"}}{{end}}`;
  const all = ["get", listed.join(","), "--all-namespaces", `-o=go-template=${line}`];
  const objects = (await kubectl(topology, all)).split("\n").filter((text) => text !== "");
  return objects.filter((text) => !text.startsWith(`ConfigMap ${writerNamespace} `));
}

/** Counts servers and objects. */
export async function readSize(topology: Topology): Promise<Size> {
  const nodes = await readNodes(topology);
  return {
    servers: nodes.filter(({ role }) => role === "server").length,
    objects: (await readObjects(topology)).length,
  };
}

const membersSchema = z.object({
  members: z.array(z.object({ name: z.string().optional(), isLearner: z.boolean().optional() })),
});

/**
 * Counts etcd's members, asked linearizably on one server.
 * @throws when that server's etcd does not answer, as without a quorum
 */
export async function readEtcd(topology: Topology, server: string): Promise<Report["etcd"]> {
  const asked = '{"linearizable":true}';
  const answer = await askEtcd(topology, server, "cluster/member/list", asked);
  const { members } = membersSchema.parse(JSON.parse(answer));
  const learners = members.filter(({ isLearner }) => isLearner === true).length;
  return { voters: members.length - learners, learners };
}
