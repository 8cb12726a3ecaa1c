import { PatchStrategy, setHeaderOptions, type V1ObjectMeta } from "@kubernetes/client-node";
import type { Progress } from "./act.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";

/** Something whose pods the cluster itself replaces one after the other. */
export interface Workload {
  readonly kind: "DaemonSet" | "Deployment" | "StatefulSet";
  readonly namespace: string;
  readonly name: string;
}

/** Why pods are restarted: an annotation of theirs, so that those which have it already are left alone. */
export interface Reason {
  readonly annotation: string;
  readonly value: string;
  /** What it is for, to complete an error. */
  readonly why: string;
}

/** How long the pods of one workload may take, in ms. */
const limitMs = 300_000;

/**
 * Restarts a workload's pods as its own strategy says and waits for the new ones. It is a rollout only where the pods were
 * not started with the same reason before.
 *
 * @throws ActError when they are not up within 5 minutes
 */
export async function rollOut(
  cluster: LiveCluster,
  workload: Workload,
  { annotation, value, why }: Reason,
  progress: Progress,
): Promise<void> {
  const { namespace, name, kind } = workload;
  await annotate(cluster, workload, { [annotation]: value });
  await gate(
    async () => {
      const { wanted, updated, unavailable } = await state(cluster, workload);
      const done = updated === wanted && unavailable === 0;
      return done
        ? { found: true }
        : {
            seen: `${Math.max(updated, 0)} of ${wanted} restarted, ${unavailable} unavailable`,
          };
    },
    {
      what: `${kind} ${namespace}/${name} to be restarted`,
      limitMs,
      why,
      cure: `see kubectl -n ${namespace} get pods -o wide, then run pulumi up again`,
      progress,
    },
  );
}

async function annotate(
  { apps }: LiveCluster,
  { kind, name, namespace }: Workload,
  annotations: V1ObjectMeta["annotations"],
): Promise<void> {
  const patch = { name, namespace, body: { spec: { template: { metadata: { annotations } } } } };
  const merge = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);
  switch (kind) {
    case "DaemonSet":
      await apps.patchNamespacedDaemonSet(patch, merge);
      return;
    case "Deployment":
      await apps.patchNamespacedDeployment(patch, merge);
      return;
    case "StatefulSet":
      await apps.patchNamespacedStatefulSet(patch, merge);
  }
}

interface RolloutState {
  readonly wanted: number;
  readonly updated: number;
  readonly unavailable: number;
}

/** Before the controller has seen the change its figures are those of the old pods: then none counts as updated. */
async function state({ apps }: LiveCluster, workload: Workload): Promise<RolloutState> {
  const { kind, name, namespace } = workload;
  const where = { name, namespace };
  if (kind === "DaemonSet") {
    const { metadata, status } = await apps.readNamespacedDaemonSet(where);
    const current = status?.observedGeneration === metadata?.generation;
    return {
      wanted: status?.desiredNumberScheduled ?? 0,
      updated: current ? (status?.updatedNumberScheduled ?? 0) : -1,
      unavailable: status?.numberUnavailable ?? 0,
    };
  }
  if (kind === "StatefulSet") {
    const { metadata, spec, status } = await apps.readNamespacedStatefulSet(where);
    const current = status?.observedGeneration === metadata?.generation;
    const wanted = spec?.replicas ?? 0;
    // Once all are new, the controller counts them as current and may leave out the updated ones.
    const all = status?.currentRevision === status?.updateRevision ? status?.replicas : undefined;
    return {
      wanted,
      updated: current ? (status?.updatedReplicas ?? all ?? 0) : -1,
      unavailable: wanted - (status?.readyReplicas ?? 0),
    };
  }
  const { metadata, spec, status } = await apps.readNamespacedDeployment(where);
  const current = status?.observedGeneration === metadata?.generation;
  const updated = status?.updatedReplicas ?? 0;
  return {
    wanted: spec?.replicas ?? 0,
    // Old pods that are not gone yet count among the replicas.
    updated: current && (status?.replicas ?? 0) === updated ? updated : -1,
    unavailable: status?.unavailableReplicas ?? 0,
  };
}
