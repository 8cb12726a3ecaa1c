import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import type { Progress } from "./act.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";

/** What of kubeadm's own add-ons is rolled out anew; both live in kube-system. */
export interface Addon {
  readonly kind: "DaemonSet" | "Deployment";
  readonly name: string;
}

const namespace = "kube-system";

/**
 * Restarts an add-on's pods one after the other and waits for the new ones. The annotation makes it a rollout only where
 * the pods were not started with the same reason before.
 *
 * @throws ActError when they are not up within 5 minutes
 */
export async function rollOut(
  cluster: LiveCluster,
  { kind, name }: Addon,
  reason: string,
  progress: Progress,
): Promise<void> {
  const body = {
    spec: { template: { metadata: { annotations: { "triad.dev/endpoint": reason } } } },
  };
  const where = { name, namespace };
  const merge = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);
  if (kind === "DaemonSet") await cluster.apps.patchNamespacedDaemonSet({ ...where, body }, merge);
  else await cluster.apps.patchNamespacedDeployment({ ...where, body }, merge);
  await gate(
    async () => {
      const { wanted, updated, unavailable } = await state(cluster, { kind, name });
      const done = updated === wanted && unavailable === 0;
      return done
        ? { found: true }
        : { seen: `${updated} of ${wanted} restarted, ${unavailable} unavailable` };
    },
    {
      what: `${name} to be restarted`,
      limitMs: 300_000,
      why: "Services and names inside the cluster would not follow when a server goes",
      cure: `see kubectl -n ${namespace} get pods -o wide, then run pulumi up again`,
      progress,
    },
  );
}

interface RolloutState {
  readonly wanted: number;
  readonly updated: number;
  readonly unavailable: number;
}

/** Before the controller has seen the change its figures are those of the old pods: then none counts as updated. */
async function state(cluster: LiveCluster, { kind, name }: Addon): Promise<RolloutState> {
  const where = { name, namespace };
  if (kind === "DaemonSet") {
    const { metadata, status } = await cluster.apps.readNamespacedDaemonSet(where);
    const current = status?.observedGeneration === metadata?.generation;
    return {
      wanted: status?.desiredNumberScheduled ?? 0,
      updated: current ? (status?.updatedNumberScheduled ?? 0) : -1,
      unavailable: status?.numberUnavailable ?? 0,
    };
  }
  const { metadata, spec, status } = await cluster.apps.readNamespacedDeployment(where);
  const current = status?.observedGeneration === metadata?.generation;
  const updated = status?.updatedReplicas ?? 0;
  return {
    wanted: spec?.replicas ?? 0,
    // Old pods that are not gone yet count among the replicas.
    updated: current && status?.replicas === updated ? updated : -1,
    unavailable: status?.unavailableReplicas ?? 0,
  };
}
