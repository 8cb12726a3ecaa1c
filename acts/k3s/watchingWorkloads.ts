import type {
  V1DaemonSet,
  V1Deployment,
  V1PodTemplateSpec,
  V1StatefulSet,
} from "@kubernetes/client-node";
import type { LiveCluster } from "../liveCluster.ts";
import type { Workload } from "../rollout.ts";

/** A workload whose pods talk to the API. */
export interface Watcher extends Workload {
  /** CoreDNS: every other one needs it. */
  readonly isDns: boolean;
  /** Why its pods are not replaced by a change of their template, where that is so. */
  readonly byHand?: string;
}

/** All workloads that talk to the API, in the order in which they are restarted. */
export async function listWatchers({ apps }: LiveCluster): Promise<Watcher[]> {
  const [deployments, daemonSets, statefulSets] = await Promise.all([
    apps.listDeploymentForAllNamespaces(),
    apps.listDaemonSetForAllNamespaces(),
    apps.listStatefulSetForAllNamespaces(),
  ]);
  return [
    ...deployments.items.flatMap((one) => watcherOf("Deployment", one)),
    ...daemonSets.items.flatMap((one) => watcherOf("DaemonSet", one)),
    ...statefulSets.items.flatMap((one) => watcherOf("StatefulSet", one)),
  ].sort((one, other) => (rank(one) < rank(other) ? -1 : 1));
}

/** One watcher, or none where its pods don't talk to the API. */
export function watcherOf(
  kind: Workload["kind"],
  object: V1Deployment | V1DaemonSet | V1StatefulSet,
): Watcher[] {
  const { metadata, spec } = object;
  if (spec === undefined || !talksToApi(spec.template)) return [];
  const { namespace = "", name = "" } = metadata ?? {};
  const byHand = whyByHand(spec);
  return [
    {
      kind,
      namespace,
      name,
      isDns: namespace === "kube-system" && metadata?.labels?.["k8s-app"] === "kube-dns",
      ...(byHand === undefined ? {} : { byHand }),
    },
  ];
}

/**
 * Whoever is to talk to the API gets a ServiceAccount of its own, as `default` may do nothing; with the token's mount
 * turned off it may still mount one by itself.
 */
export function talksToApi({ spec }: V1PodTemplateSpec): boolean {
  const account = spec?.serviceAccountName ?? spec?.serviceAccount ?? "default";
  if (account === "" || account === "default") return false;
  const mountsToken = spec?.volumes?.some(
    ({ projected }) =>
      projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken !== undefined) ??
      false,
  );
  return spec?.automountServiceAccountToken !== false || mountsToken === true;
}

function whyByHand(spec: {
  readonly paused?: boolean;
  readonly updateStrategy?: { readonly type?: string };
}): string | undefined {
  if (spec.paused === true) return "its rollout is paused";
  return spec.updateStrategy?.type === "OnDelete"
    ? "its strategy OnDelete leaves the restart to you"
    : undefined;
}

/** Names first, then what the cluster itself needs, then the rest by name. */
function rank({ isDns, namespace, name, kind }: Watcher): string {
  const group = isDns ? 0 : namespace === "kube-system" ? 1 : 2;
  return `${group} ${namespace}/${name} ${kind}`;
}
