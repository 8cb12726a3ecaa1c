import { imageNames } from "../artifacts/images.ts";
import { workload } from "../before/workload/workload.ts";
import { kubectl } from "../measure/inside.ts";
import { topology } from "./support.ts";

const { namespace } = workload;

/** Objects for kubectl, and the names that a refusal must tell. */
export interface Obstacle {
  readonly objects: readonly object[];
  readonly names: readonly RegExp[];
}

/** A claimed persistent volume on a server's own disk. */
export function volumeOnlyOn(server: string): Obstacle {
  const storage = "1Mi";
  const modes = { accessModes: ["ReadWriteOnce"], storageClassName: "" };
  const hostname = { key: "kubernetes.io/hostname", operator: "In", values: [server] };
  const volume = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "diary-on-one-disk" },
    spec: {
      ...modes,
      capacity: { storage },
      persistentVolumeReclaimPolicy: "Retain",
      hostPath: { path: "/var/lib/diary", type: "DirectoryOrCreate" },
      claimRef: { name: "diary", namespace },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
    },
  };
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "diary", namespace },
    spec: { ...modes, volumeName: "diary-on-one-disk", resources: { requests: { storage } } },
  };
  return {
    objects: [volume, claim],
    names: [/diary-on-one-disk/, new RegExp(`${namespace}/diary\\b`)],
  };
}

/** What Longhorn knows of a volume with one healthy replica, on a server. Its programs are not needed for that. */
export function replicaOnlyOn(server: string, other: string): Obstacle {
  const longhorn = { apiVersion: "longhorn.io/v1beta2", kind: "Replica" };
  const replica = (name: string, nodeID: string, failedAt: string): object => ({
    ...longhorn,
    metadata: { name, namespace: "longhorn-system" },
    spec: { volumeName: "photos", nodeID, failedAt, healthyAt: "2026-01-01T00:00:00Z" },
  });
  return {
    objects: [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "longhorn-system" } },
      replica("photos-r-1", server, ""),
      replica("photos-r-2", other, "2026-02-01T00:00:00Z"),
    ],
    names: [/\bphotos\b/],
  };
}

/** As much of Longhorn as its replicas need to be known. */
export const longhornDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "replicas.longhorn.io" },
  spec: {
    group: "longhorn.io",
    names: { kind: "Replica", listKind: "ReplicaList", plural: "replicas", singular: "replica" },
    scope: "Namespaced",
    versions: [
      {
        name: "v1beta2",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
      },
    ],
  },
};

/** A pod on a server that its disruption budget never lets go. */
export function budgetThatHolds(server: string): Obstacle {
  const labels = { app: "holds-on" };
  const pod = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "holds-on", namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { "kubernetes.io/hostname": server },
          tolerations: [{ operator: "Exists" }],
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "holds-on",
              image: imageNames.prober,
              args: ["serve", "--listen=:8080", `--answer=${workload.answer}`],
            },
          ],
        },
      },
    },
  };
  const budget = {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "never-without", namespace },
    spec: { minAvailable: 1, selector: { matchLabels: labels } },
  };
  return {
    objects: [pod, budget],
    names: [/holds-on-\w+/, new RegExp(`${namespace}/never-without`)],
  };
}

/** Puts them into the cluster. */
export async function put(objects: readonly object[]): Promise<void> {
  await kubectl(topology, ["apply", "--filename=-"], textOf(objects));
}

/** Takes them out again, and waits until they are gone. */
export async function takeAway(objects: readonly object[]): Promise<void> {
  const gone = ["delete", "--ignore-not-found", "--wait", "--timeout=60s", "--filename=-"];
  await kubectl(topology, gone, textOf(objects.toReversed()));
}

function textOf(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}
