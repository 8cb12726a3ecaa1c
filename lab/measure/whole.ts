import type { Topology } from "../topology.ts";
import { readEtcd, readNodes } from "./clusterState.ts";

/** Says what the cluster lacks to be whole: every server of the lab a voter that answers, every node Ready. */
export async function missingToWhole(topology: Topology): Promise<string | undefined> {
  const servers = topology.machines.filter(({ role }) => role === "server");
  const views = await Promise.all(servers.map(({ name }) => readEtcd(name)));
  const nodes = await readNodes(topology);
  const notReady = nodes.filter(({ ready }) => !ready).map(({ name }) => name);
  const wrong = views.filter(({ voters, learners }) => voters !== servers.length || learners !== 0);
  if (wrong.length === 0 && notReady.length === 0) return undefined;
  return `etcd: ${JSON.stringify(views)}, not ready: ${notReady.join(", ") || "none"}`;
}
