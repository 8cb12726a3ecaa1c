import { z } from "zod";
import { machinesWith, type Topology } from "../topology.ts";
import { readEtcd, readNodes } from "./clusterState.ts";
import { kubectl } from "./inside.ts";

const podsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      }),
    }),
  ),
});

/** Says what the cluster lacks to be whole: every server a voter that answers, every Node and every pod Ready. */
export async function missingToWhole(topology: Topology): Promise<string | undefined> {
  const servers = machinesWith(topology, "server");
  const views = await Promise.all(servers.map(({ name }) => readEtcd(topology, name)));
  const lacking = views.some(({ voters, learners }) => voters !== servers.length || learners !== 0);
  if (lacking) return `etcd: ${JSON.stringify(views)}`;
  const nodes = (await readNodes(topology)).filter(({ ready }) => !ready);
  const pods = podsSchema
    .parse(JSON.parse(await kubectl(topology, ["get", "pods", "--all-namespaces", "-o=json"])))
    .items.filter(({ status }) => !status.conditions.some(isReady));
  const notReady = [...nodes.map(({ name }) => name), ...pods.map(({ metadata }) => metadata.name)];
  return notReady.length === 0 ? undefined : `not ready: ${notReady.join(", ")}`;
}

function isReady({ type, status }: { type: string; status: string }): boolean {
  return type === "Ready" && status === "True";
}
