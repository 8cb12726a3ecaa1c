import { ActError, defineAct } from "./act.ts";
import { endpointAddress } from "./endpointAddress.ts";
import { withLease } from "./lease.ts";
import { findLiveCluster } from "./liveCluster.ts";
import { readNode } from "./nodes.ts";
import { pointWorker } from "./pointWorker.ts";
import { workerRequest } from "./request.ts";
import { serversGate } from "./serversGate.ts";

/**
 * A worker reaches the API by the endpoint. Workers move one by one, each is Ready again before the next. Delete leaves
 * it at the endpoint.
 */
export const worker = defineAct(workerRequest, async (request, { verb, progress }) => {
  const { machine, servers, endpoint } = request;
  if (verb === "delete") return {};
  const cluster = await findLiveCluster(request, progress);
  try {
    if ((await readNode(cluster, machine.nodeName)) === undefined) {
      throw new ActError(
        `the cluster has no Node ${machine.nodeName}`,
        `${machine.name} is listed as a worker, and only a worker of this cluster can be moved`,
        `join it with ${cluster.distribution.name} first, or take it off triad:workers`,
      );
    }
    await serversGate(cluster, servers, progress);
    await withLease(cluster, `move ${machine.name}`, progress, () =>
      pointWorker(cluster, request, progress),
    );
    return { worker: machine.name, endpoint: endpointAddress(endpoint) };
  } finally {
    cluster.close();
  }
});
