import {
  ApiException,
  PatchStrategy,
  setHeaderOptions,
  type V1Node,
  type V1Pod,
} from "@kubernetes/client-node";
import type { Progress } from "./act.ts";
import { podsOf } from "./drainNode.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { forgetNodePassword } from "./nodePassword.ts";
import { deleteNode, readNode } from "./nodes.ts";

/** k3s removes the member of a Node that is deleted. Here it is gone already, or nobody would be left to do it. */
const k3sFinalizers = ["wrangler.cattle.io/node", "wrangler.cattle.io/managed-etcd-controller"];
/** How long k3s may take to drop its finalizers by itself, in ms. */
const patienceMs = 20_000;

/**
 * The cluster forgets a Node whose machine is no member any more and runs nothing: its pods, by which password k3s knows
 * it, and the Node.
 *
 * @throws ActError when the Node is still there after a minute
 */
export async function forgetNode(
  cluster: LiveCluster,
  nodeName: string,
  progress: Progress,
): Promise<void> {
  const pods = await podsOf(cluster, nodeName);
  // Nobody is left to say that they have ended; a machine that joins again soon must not find them.
  await Promise.all(pods.map((pod) => forgetPod(cluster, pod)));
  // The Node last: as long as it is there a run that was cut off finds what is left to do.
  await forgetNodePassword(cluster, nodeName);
  const since = Date.now();
  await deleteNode(cluster, nodeName);
  await gate(
    async () => {
      const node = await readNode(cluster, nodeName);
      if (node === undefined) return { found: true };
      if (Date.now() - since > patienceMs) await dropFinalizers(cluster, node);
      return { seen: `held by ${(node.metadata?.finalizers ?? []).join(", ") || "nothing"}` };
    },
    {
      what: `the Node ${nodeName} to be deleted`,
      limitMs: 60_000,
      why: "a server of that name could not join while it is there",
      cure: `see kubectl get node ${nodeName} -o yaml for its finalizers, then run this again`,
      progress,
    },
  );
}

async function forgetPod({ core }: LiveCluster, { metadata }: V1Pod): Promise<void> {
  const { name = "", namespace = "" } = metadata ?? {};
  try {
    await core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 });
  } catch (error) {
    if (!(error instanceof ApiException && error.code === 404)) throw error;
  }
}

async function dropFinalizers({ core }: LiveCluster, { metadata }: V1Node): Promise<void> {
  const left = (metadata?.finalizers ?? []).filter((name) => !k3sFinalizers.includes(name));
  if (left.length === metadata?.finalizers?.length) return;
  await core.patchNode(
    { name: metadata?.name ?? "", body: { metadata: { finalizers: left } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
}
