import { ApiException, type V1Pod, type V1PodDisruptionBudget } from "@kubernetes/client-node";
import type { Progress } from "./act.ts";
import { budgetsOf } from "./disruptionBudgets.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";

/** What a refusal says besides what was seen. */
export interface Draining {
  readonly why: string;
  readonly cure: string;
}

/** How long the pods may take to go, in ms. */
const limitMs = 300_000;

/**
 * Evicts the pods of a Node that is cordoned, as their disruption budgets allow. Those of DaemonSets and static pods
 * stay. Those that nobody starts elsewhere are named, and go too.
 *
 * @throws ActError naming the pods that are still there after 5 minutes, and the budgets that hold them
 */
export async function drainNode(
  cluster: LiveCluster,
  nodeName: string,
  { why, cure }: Draining,
  progress: Progress,
): Promise<void> {
  let told = false;
  await gate(
    async () => {
      const left = (await podsOf(cluster, nodeName)).filter(isEvictable);
      const bare = left.filter(isBare).map(nameOf).sort();
      if (!told && bare.length > 0) {
        progress(`warning: nobody starts these pods elsewhere, they end: ${bare.join(", ")}`);
      }
      told = true;
      if (left.length === 0) return { found: true };
      const evicted = await Promise.all(left.map((pod) => evict(cluster, pod)));
      const held = left.filter((_pod, index) => evicted[index] === false);
      const budgets =
        held.length === 0
          ? []
          : (await cluster.policy.listPodDisruptionBudgetForAllNamespaces()).items;
      return { seen: describeLeft(left, held, budgets) };
    },
    {
      what: `the pods of ${nodeName} to go elsewhere`,
      limitMs,
      intervalMs: 2_000,
      why,
      cure,
      progress,
    },
  );
}

/** Every pod that is bound to a Node. */
export async function podsOf({ core }: LiveCluster, nodeName: string): Promise<V1Pod[]> {
  const { items } = await core.listPodForAllNamespaces({
    fieldSelector: `spec.nodeName=${nodeName}`,
  });
  return items;
}

/** Whether draining means this pod. */
export function isEvictable({ metadata, status }: V1Pod): boolean {
  const mirror = metadata?.annotations?.["kubernetes.io/config.mirror"] !== undefined;
  const ofDaemonSet = metadata?.ownerReferences?.some(({ kind }) => kind === "DaemonSet") ?? false;
  const ended = status?.phase === "Succeeded" || status?.phase === "Failed";
  return !mirror && !ofDaemonSet && !ended;
}

/** Whether nobody makes such a pod anew once it has ended, as it was created by hand. */
export function isBare({ metadata }: V1Pod): boolean {
  return (metadata?.ownerReferences ?? []).length === 0;
}

/** The pods that are still there, each with what holds it. */
export function describeLeft(
  left: readonly V1Pod[],
  held: readonly V1Pod[],
  budgets: readonly V1PodDisruptionBudget[],
): string {
  return left
    .map((pod) => {
      const name = nameOf(pod);
      if (pod.metadata?.deletionTimestamp !== undefined) return `${name} (it is ending)`;
      if (!held.includes(pod)) return name;
      const names = budgetsOf(pod, budgets);
      return `${name} (held by ${names.length === 0 ? "a PodDisruptionBudget" : names.map((one) => `PodDisruptionBudget ${one}`).join(" and ")})`;
    })
    .sort()
    .join(", ");
}

function nameOf({ metadata }: V1Pod): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}

/** @returns false where its budget does not allow it now */
async function evict({ core }: LiveCluster, { metadata }: V1Pod): Promise<boolean> {
  if (metadata?.deletionTimestamp !== undefined) return true;
  const { name = "", namespace = "" } = metadata ?? {};
  try {
    await core.createNamespacedPodEviction({
      name,
      namespace,
      body: { metadata: { name, namespace } },
    });
    return true;
  } catch (error) {
    if (error instanceof ApiException && error.code === 429) return false;
    // It is gone.
    if (error instanceof ApiException && error.code === 404) return true;
    throw error;
  }
}
