import type {
  V1LabelSelector,
  V1LabelSelectorRequirement,
  V1Pod,
  V1PodDisruptionBudget,
} from "@kubernetes/client-node";

type Labels = Readonly<Record<string, string>>;

/** The disruption budgets that a pod counts for, as `namespace/name`. */
export function budgetsOf(
  { metadata }: V1Pod,
  budgets: readonly V1PodDisruptionBudget[],
): string[] {
  return budgets
    .filter((budget) => budget.metadata?.namespace === metadata?.namespace)
    .filter(({ spec }) => selects(spec?.selector, metadata?.labels ?? {}))
    .map((budget) => `${budget.metadata?.namespace}/${budget.metadata?.name}`)
    .sort();
}

/** An empty selector means every pod, none at all means no pod. */
function selects(selector: V1LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((one) => holds(one, labels))
  );
}

function holds(
  { key, operator, values = [] }: V1LabelSelectorRequirement,
  labels: Labels,
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
    default:
      return false;
  }
}
