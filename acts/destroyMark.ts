import {
  ApiException,
  PatchStrategy,
  setHeaderOptions,
  type CoordinationV1Api,
} from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import { leaseName as name, leaseNamespace as namespace } from "./lease.ts";

// A delete cannot know whether one server is to go or all. What lies deepest in the graph is deleted first, which is the
// verification: its delete says on the Lease that the whole stack is being destroyed, and a server that was found stays then.

/** The part of a cluster's API that is used here. */
export interface MarkedCluster {
  readonly coordination: Pick<
    CoordinationV1Api,
    "createNamespacedLease" | "patchNamespacedLease" | "readNamespacedLease"
  >;
}

const annotation = "triad.dev/destroying";
const goodForMs = 30 * 60_000;
/** Deletes begin together where they may: the mark can come a little later. */
const waitMs = 10_000;

/** Says that the whole stack is being destroyed; said again, it holds for another 30 minutes. */
export async function markDestroy(cluster: MarkedCluster, now = new Date()): Promise<void> {
  await patch(cluster, now.toISOString());
}

/** Whoever creates or updates does not destroy. */
export async function clearDestroyMark(cluster: MarkedCluster): Promise<void> {
  if ((await read(cluster)) !== undefined) await patch(cluster, null);
}

/**
 * Whether the whole stack is being destroyed; a mark is waited for, 10 s at most.
 * @param intervalMs between two looks
 */
export async function isBeingDestroyed(
  cluster: MarkedCluster,
  limitMs = waitMs,
  intervalMs = 1_000,
): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    if (isFresh(await read(cluster), new Date())) return true;
    if (Date.now() >= deadline) return false;
    await sleep(intervalMs);
  }
}

/** Whether a mark is of a run that may still be under way. Clocks of two operators may differ either way. */
export function isFresh(mark: string | undefined, now: Date): boolean {
  if (mark === undefined) return false;
  const age = Math.abs(now.getTime() - Date.parse(mark));
  return age < goodForMs;
}

async function read({ coordination }: MarkedCluster): Promise<string | undefined> {
  try {
    const { metadata } = await coordination.readNamespacedLease({ name, namespace });
    return metadata?.annotations?.[annotation];
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  }
}

async function patch({ coordination }: MarkedCluster, mark: string | null): Promise<void> {
  const body = { metadata: { annotations: { [annotation]: mark } } };
  try {
    await coordination.patchNamespacedLease(
      { name, namespace, body },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
  } catch (error) {
    if (!(error instanceof ApiException && error.code === 404) || mark === null) throw error;
    const metadata = { name, annotations: { [annotation]: mark } };
    await coordination.createNamespacedLease({ namespace, body: { metadata } });
  }
}
