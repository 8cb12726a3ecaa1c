import { defineAct } from "./act.ts";
import { endpointAddress } from "./endpointAddress.ts";
import { withLease } from "./lease.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { clientsRequest } from "./request.ts";
import { rollOut } from "./rollout.ts";

/**
 * kubeadm starts every CoreDNS pod on the first server, as there is no other node then: names inside the cluster would go
 * with that server. Once there are others the pods are restarted, and the scheduler spreads them.
 *
 * @see https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/
 */
export const coreDns = defineAct(clientsRequest, async (request, { verb, progress }) => {
  if (verb === "delete" || !request.move) return {};
  const cluster = await findLiveCluster(request, progress);
  try {
    if ((await nodesOf(cluster)).length === 1) {
      await withLease(cluster, "spread CoreDNS", progress, () =>
        rollOut(
          cluster,
          { kind: "Deployment", namespace: "kube-system", name: "coredns" },
          {
            annotation: "triad.dev/endpoint",
            value: endpointAddress(request.endpoint),
            why: "names inside the cluster would go with the server on which all of its pods are",
          },
          progress,
        ),
      );
    }
    return { coreDns: await nodesOf(cluster) };
  } finally {
    cluster.close();
  }
});

/** A cluster with another DNS add-on has none of these pods, and is left alone. */
async function nodesOf(cluster: LiveCluster): Promise<string[]> {
  const { items } = await cluster.core.listNamespacedPod({
    namespace: "kube-system",
    labelSelector: "k8s-app=kube-dns",
  });
  const running = items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  return [...new Set(running.flatMap(({ spec }) => spec?.nodeName ?? []))].sort();
}
