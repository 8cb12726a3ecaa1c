import { ApiException, type V1Pod } from "@kubernetes/client-node";
import type { Progress } from "./act.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";

/**
 * Evicts the pods of a Node that is cordoned, as their disruption budgets allow. Those of DaemonSets and static pods
 * stay.
 *
 * @throws ActError naming the pods that are still there after 5 minutes
 */
export async function drainNode(
  cluster: LiveCluster,
  nodeName: string,
  progress: Progress,
): Promise<void> {
  await gate(
    async () => {
      const { items } = await cluster.core.listPodForAllNamespaces({
        fieldSelector: `spec.nodeName=${nodeName}`,
      });
      const left = items.filter(isEvictable);
      if (left.length === 0) return { found: true };
      await Promise.all(left.map((pod) => evict(cluster, pod)));
      return { seen: left.map(nameOf).sort().join(", ") };
    },
    {
      what: `the pods of ${nodeName} to go elsewhere`,
      limitMs: 300_000,
      intervalMs: 2_000,
      why: "triad:k3s.drain asks for it before the machine becomes a server",
      cure: "see which disruption budget holds them (kubectl get pdb -A), or set triad:k3s.drain to false: a promotion keeps pods running",
      progress,
    },
  );
}

/** Whether draining means this pod. */
export function isEvictable({ metadata, status }: V1Pod): boolean {
  const mirror = metadata?.annotations?.["kubernetes.io/config.mirror"] !== undefined;
  const ofDaemonSet = metadata?.ownerReferences?.some(({ kind }) => kind === "DaemonSet") ?? false;
  const ended = status?.phase === "Succeeded" || status?.phase === "Failed";
  return !mirror && !ofDaemonSet && !ended;
}

async function evict(cluster: LiveCluster, { metadata }: V1Pod): Promise<void> {
  if (metadata?.deletionTimestamp !== undefined) return;
  const { name = "", namespace = "" } = metadata ?? {};
  try {
    await cluster.core.createNamespacedPodEviction({
      name,
      namespace,
      body: { metadata: { name, namespace } },
    });
  } catch (error) {
    // 429: its budget does not allow it now; 404: it is gone.
    if (!(error instanceof ApiException && (error.code === 429 || error.code === 404))) throw error;
  }
}

function nameOf({ metadata }: V1Pod): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}
