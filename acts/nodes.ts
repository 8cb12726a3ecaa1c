import {
  ApiException,
  PatchStrategy,
  setHeaderOptions,
  type V1Node,
} from "@kubernetes/client-node";
import type { LiveCluster } from "./liveCluster.ts";

export const controlPlaneLabel = "node-role.kubernetes.io/control-plane";
export const membershipAnnotation = "triad.dev/membership";
/** What a server is once it has left: the list of workers names it already. */
export const becomesAnnotation = "triad.dev/becomes";

/** The Node of this name, if there is one. */
export async function readNode(cluster: LiveCluster, name: string): Promise<V1Node | undefined> {
  try {
    return await cluster.core.readNode({ name });
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  }
}

/** Deletes the Node of this name, if there is one. */
export async function deleteNode(cluster: LiveCluster, name: string): Promise<void> {
  try {
    await cluster.core.deleteNode({ name });
  } catch (error) {
    if (!(error instanceof ApiException && error.code === 404)) throw error;
  }
}

/** Whether kubelet reports the Node as ready. */
export function isReady(node: V1Node | undefined): boolean {
  return (
    node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ??
    false
  );
}

export function isServer(node: V1Node | undefined): boolean {
  return node?.metadata?.labels?.[controlPlaneLabel] !== undefined;
}

/** Says which membership a Node stands for, so that a later delete knows whom it deletes. */
export async function markMembership(
  cluster: LiveCluster,
  name: string,
  nonce: string,
): Promise<void> {
  await annotateNode(cluster, name, { [membershipAnnotation]: nonce, [becomesAnnotation]: null });
}

/** Says of a server what it is once it has left; null takes that back. */
export async function markBecomes(
  cluster: LiveCluster,
  name: string,
  becomes: "worker" | null,
): Promise<void> {
  await annotateNode(cluster, name, { [becomesAnnotation]: becomes });
}

async function annotateNode(
  cluster: LiveCluster,
  name: string,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  await cluster.core.patchNode(
    { name, body: { metadata: { annotations } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
}

/** What a server is to be once it has left, if it is to stay in the cluster. */
export function becomesOf(node: V1Node | undefined): "worker" | undefined {
  return node?.metadata?.annotations?.[becomesAnnotation] === "worker" ? "worker" : undefined;
}

/** The membership that a Node stands for, if Triad has marked it. */
export function membershipOf(node: V1Node | undefined): string | undefined {
  return node?.metadata?.annotations?.[membershipAnnotation];
}
