import type {
  V1Node,
  V1NodeSelectorRequirement,
  V1PersistentVolume,
} from "@kubernetes/client-node";

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
          matchExpressions.every((one) => holds(one, labels)) &&
          matchFields.every((one) => holds(one, fields))
        );
      }),
    )
    .map(({ metadata }) => metadata?.name ?? "");
}

function holds(
  { key, operator, values = [] }: V1NodeSelectorRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(values[0]);
    case "Lt":
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
