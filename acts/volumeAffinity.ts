import type { V1Node, V1PersistentVolume } from "@kubernetes/client-node";
import { meets } from "./requirement.ts";

/**
 * The names of the Nodes that can use a volume; undefined where all can.
 * @see https://kubernetes.io/docs/concepts/storage/persistent-volumes/#node-affinity
 */
export function nodesOf(
  volume: V1PersistentVolume,
  nodes: readonly V1Node[],
): string[] | undefined {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms;
  if (terms === undefined || terms.length === 0) return undefined;
  return nodes
    .filter((node) =>
      terms.some(({ matchExpressions = [], matchFields = [] }) => {
        // A term that asks for nothing matches nothing.
        if (matchExpressions.length + matchFields.length === 0) return false;
        const labels = node.metadata?.labels ?? {};
        const fields = { "metadata.name": node.metadata?.name ?? "" };
        return (
          matchExpressions.every((one) => meets(one, labels)) &&
          matchFields.every((one) => meets(one, fields))
        );
      }),
    )
    .map(({ metadata }) => metadata?.name ?? "");
}
