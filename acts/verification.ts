import { type ActContext, defineAct } from "./act.ts";
import { uncordon } from "./cordon.ts";
import { clearDestroyMark, markDestroy } from "./destroyMark.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { enableServer } from "./loadBalancers.ts";
import { lookAtCluster } from "./lookAtCluster.ts";
import { reasonOf } from "./reasonOf.ts";
import { verificationRequest, type VerificationRequest } from "./request.ts";
import { serversGate } from "./serversGate.ts";

/**
 * What the cluster is at the end of a run, as the stack's outputs. Servers that the list no longer names leave after it:
 * they are shown as leaving, and not waited for. What a leave that was given up has left behind at a listed server is put
 * right. Its delete is the first of all and says that the whole stack goes.
 */
export const verification = defineAct(verificationRequest, async (request, context) => {
  if (context.verb === "delete") return await sayThatAllGoes(request, context);
  const cluster = await findLiveCluster(request, context.progress);
  try {
    await clearDestroyMark(cluster);
    await serversGate(cluster, request.servers, context.progress);
    await letServersServe(cluster, request, context);
    return await lookAtCluster(cluster, request, context.progress);
  } finally {
    cluster.close();
  }
});

/** A full destroy must go on where nobody can be told. */
async function sayThatAllGoes(
  request: VerificationRequest,
  { progress }: ActContext,
): Promise<object> {
  try {
    const cluster = await findLiveCluster(request, progress);
    try {
      await markDestroy(cluster);
    } finally {
      cluster.close();
    }
  } catch (error) {
    progress(`warning: ${reasonOf(error)}`);
  }
  return {};
}

/**
 * A leave that was refused or given up may have left a listed server without clients: the list before had taken it out of
 * the load balancers, which know it again as one that waits.
 */
async function letServersServe(
  cluster: LiveCluster,
  request: VerificationRequest,
  { progress }: ActContext,
): Promise<void> {
  const { servers, peers, balancers } = request;
  for (const machine of peers.filter(({ nodeName }) => servers.includes(nodeName))) {
    await uncordon(cluster, machine, progress);
    // One that somebody else runs can't be told, and is looked at afterwards.
    if (balancers !== undefined && balancers !== "external") {
      await enableServer(cluster, { ...request, machine, balancers }, progress);
    }
  }
}
