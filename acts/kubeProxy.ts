import { defineAct } from "./act.ts";
import { endpointAddress } from "./endpointAddress.ts";
import { withLease } from "./lease.ts";
import { findLiveCluster } from "./liveCluster.ts";
import { clientsRequest } from "./request.ts";
import { rollOut } from "./rollout.ts";

/**
 * kube-proxy reads the address of the API when it starts: it is restarted node by node, once, after the servers have
 * joined. The rules that it wrote stay in force meanwhile.
 */
export const kubeProxy = defineAct(clientsRequest, async (request, { verb, progress }) => {
  if (verb === "delete" || !request.move) return {};
  const endpoint = endpointAddress(request.endpoint);
  const cluster = await findLiveCluster(request, progress);
  try {
    await withLease(cluster, "restart kube-proxy", progress, () =>
      rollOut(
        cluster,
        { kind: "DaemonSet", namespace: "kube-system", name: "kube-proxy" },
        {
          annotation: "triad.dev/endpoint",
          value: endpoint,
          why: "Services would not follow any more when the first server goes",
        },
        progress,
      ),
    );
    return { kubeProxy: endpoint };
  } finally {
    cluster.close();
  }
});
