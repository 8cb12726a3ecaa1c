import { PatchStrategy, setHeaderOptions, type V1Node } from "@kubernetes/client-node";
import { cordonedAnnotation } from "./cordon.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { becomesAnnotation, controlPlaneLabel, membershipAnnotation, readNode } from "./nodes.ts";

const serverLabels = [
  controlPlaneLabel,
  "node-role.kubernetes.io/master",
  "node-role.kubernetes.io/etcd",
  // kubeadm's: a server is not one of the nodes behind LoadBalancer Services.
  "node.kubernetes.io/exclude-from-external-load-balancers",
];
const serverTaints = [controlPlaneLabel, "node-role.kubernetes.io/etcd"];
const ownAnnotations = [membershipAnnotation, becomesAnnotation, cordonedAnnotation];
/** What k3s does with a Node of a member when it is deleted; a worker's Node is to be deleted like any. */
const etcdFinalizer = "wrangler.cattle.io/managed-etcd-controller";

/**
 * A Node whose machine is a worker again: it keeps its name, its other labels, its pods and volumes, and says no more
 * that it is a server.
 */
export async function demoteNode(cluster: LiveCluster, nodeName: string): Promise<void> {
  const node = await readNode(cluster, nodeName);
  if (node === undefined) return;
  await cluster.core.patchNode(
    { name: nodeName, body: demotion(node) },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  if (!node.status?.conditions?.some(({ type }) => type === "EtcdIsVoter")) return;
  await cluster.core.patchNodeStatus(
    {
      name: nodeName,
      body: { status: { conditions: [{ type: "EtcdIsVoter", $patch: "delete" }] } },
    },
    setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
  );
}

/** The merge patch that takes a server's marks off a Node; one that we had cordoned may have pods again. */
export function demotion({ metadata, spec }: V1Node): object {
  const gone = (names: readonly string[]): Record<string, null> =>
    Object.fromEntries(names.map((name) => [name, null]));
  const annotations = Object.keys(metadata?.annotations ?? {}).filter(
    (name) => name.startsWith("etcd.k3s.cattle.io/") || ownAnnotations.includes(name),
  );
  const labels = Object.keys(metadata?.labels ?? {}).filter((name) => serverLabels.includes(name));
  const taints = (spec?.taints ?? []).filter(({ key }) => !serverTaints.includes(key));
  return {
    metadata: {
      labels: gone(labels),
      annotations: gone(annotations),
      finalizers: (metadata?.finalizers ?? []).filter((name) => name !== etcdFinalizer),
    },
    spec: {
      ...(taints.length === (spec?.taints ?? []).length ? {} : { taints }),
      ...(annotations.includes(cordonedAnnotation) ? { unschedulable: null } : {}),
    },
  };
}
