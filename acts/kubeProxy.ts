import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { type ActContext, defineAct } from "./act.ts";
import { endpointAddress } from "./clusterConfiguration.ts";
import { gate } from "./gate.ts";
import { withLease } from "./lease.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { clientsRequest } from "./request.ts";
import { serversGate } from "./serversGate.ts";

const where = { name: "kube-proxy", namespace: "kube-system" };

/**
 * kube-proxy reads the address of the API when it starts: it is restarted node by node, once, after the servers have
 * joined. The rules that it wrote stay in force meanwhile.
 */
export const kubeProxy = defineAct(clientsRequest, async (request, context) => {
  if (context.verb === "delete") return {};
  const cluster = await findLiveCluster(request);
  try {
    await serversGate(cluster, request.servers, context.progress);
    await withLease(cluster, "restart kube-proxy", context.progress, () =>
      restart(cluster, endpointAddress(request.endpoint), context),
    );
    return { kubeProxy: endpointAddress(request.endpoint) };
  } finally {
    cluster.close();
  }
});

/** The annotation makes it a rollout only where kube-proxy was not started with this endpoint before. */
async function restart(
  cluster: LiveCluster,
  endpoint: string,
  { progress }: ActContext,
): Promise<void> {
  const annotations = { "triad.dev/endpoint": endpoint };
  await cluster.apps.patchNamespacedDaemonSet(
    { ...where, body: { spec: { template: { metadata: { annotations } } } } },
    setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
  );
  await gate(
    async () => {
      const { metadata, status } = await cluster.apps.readNamespacedDaemonSet(where);
      const current = status?.observedGeneration === metadata?.generation;
      const updated = status?.updatedNumberScheduled ?? 0;
      const wanted = status?.desiredNumberScheduled ?? 0;
      return current && updated === wanted && (status?.numberUnavailable ?? 0) === 0
        ? { found: true }
        : { seen: `${updated} of ${wanted} restarted` };
    },
    {
      what: "kube-proxy to run with the endpoint on every node",
      limitMs: 300_000,
      why: "where it does not, Services would not follow when the old address goes",
      cure: "see kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide, then run pulumi up again",
      progress,
    },
  );
}
