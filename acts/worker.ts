import * as z from "zod";
import { connect } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { type ActContext, ActError, defineAct } from "./act.ts";
import { endpointAddress } from "./clusterConfiguration.ts";
import { gate } from "./gate.ts";
import { withLease } from "./lease.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { isReady, readNode } from "./nodes.ts";
import { workerRequest, type WorkerRequest } from "./request.ts";
import { serversGate } from "./serversGate.ts";

const ensured = z.object({ changed: z.boolean() });

/**
 * A worker's kubelet reaches the API by the endpoint. Workers move one by one, each is Ready again before the next;
 * one that does not become Ready is put back. Delete leaves it at the endpoint.
 */
export const worker = defineAct(workerRequest, async (request, context) => {
  const { machine, servers, endpoint } = request;
  if (context.verb === "delete") return {};
  const cluster = await findLiveCluster(request);
  try {
    if ((await readNode(cluster, machine.nodeName)) === undefined) {
      throw new ActError(
        `the cluster has no Node ${machine.nodeName}`,
        `${machine.name} is listed as a worker, and only a worker of this cluster can be moved`,
        `join it with kubeadm (kubeadm token create --print-join-command on a server), or take it off triad:workers`,
      );
    }
    await serversGate(cluster, servers, context.progress);
    await move(cluster, request, context);
    return { worker: machine.name, endpoint: endpointAddress(endpoint) };
  } finally {
    cluster.close();
  }
});

async function move(
  cluster: LiveCluster,
  { machine, identity, endpoint }: WorkerRequest,
  { progress }: ActContext,
): Promise<void> {
  const variables = { ENDPOINT: endpointAddress(endpoint) };
  const connection = await connect(machine, identity);
  try {
    await withLease(cluster, `move ${machine.name}`, progress, async () => {
      const before = await heartbeat(cluster, machine.nodeName);
      const answer = await runScript(
        connection,
        { script: "kubeadm-client.sh", verb: "ensure", variables },
        (line) => progress(`${machine.name}: ${line}`),
      );
      if (!ensured.parse(answer).changed) return;
      try {
        await readyAgain(cluster, machine.nodeName, before, progress);
      } catch (error) {
        await runScript(connection, { script: "kubeadm-client.sh", verb: "restore", variables });
        throw error;
      }
    });
  } finally {
    connection.close();
  }
}

/** Ready in a report made after the restart: the last one before it says Ready too. */
async function readyAgain(
  cluster: LiveCluster,
  nodeName: string,
  before: string,
  progress: ActContext["progress"],
): Promise<void> {
  await gate(
    async () => {
      const node = await readNode(cluster, nodeName);
      if (!isReady(node)) return { seen: "not Ready" };
      if ((await heartbeat(cluster, nodeName)) === before)
        return { seen: "no heartbeat through the endpoint yet" };
      return { found: node };
    },
    {
      what: `${nodeName} to be Ready through the endpoint`,
      limitMs: 120_000,
      why: "the next worker must not move before this one is back",
      cure: `its old kubelet.conf was put back; see journalctl -u kubelet on it, and that it resolves and reaches the endpoint`,
      progress,
    },
  );
}

/** kubelet renews its Node's Lease every 10 s. */
async function heartbeat(cluster: LiveCluster, nodeName: string): Promise<string> {
  const lease = await cluster.coordination.readNamespacedLease({
    name: nodeName,
    namespace: "kube-node-lease",
  });
  return String(lease.spec?.renewTime);
}
