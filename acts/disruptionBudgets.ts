import type { V1LabelSelector, V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node";
import { meets } from "./requirement.ts";

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
    matchExpressions.every((one) => meets(one, labels))
  );
}
