import {
  type CoreV1Api,
  PatchStrategy,
  type RbacAuthorizationV1Api,
  setHeaderOptions,
  type V1ClusterRole,
  type V1ClusterRoleBinding,
  type V1Secret,
  type V1ServiceAccount,
} from "@kubernetes/client-node";
import type { Progress } from "./act.ts";
import { gate } from "./gate.ts";

/** The parts of a cluster's API that are used here. */
export interface TokenCluster {
  readonly core: Pick<
    CoreV1Api,
    | "createNamespacedSecret"
    | "deleteNamespacedSecret"
    | "listNamespacedSecret"
    | "patchNamespacedServiceAccount"
    | "readNamespacedSecret"
  >;
  readonly rbac: Pick<RbacAuthorizationV1Api, "patchClusterRole" | "patchClusterRoleBinding">;
}

/** What a load balancer needs to ask a server whether it is ready. */
export interface ReadinessToken {
  /** Name of the Secret it lives in. */
  readonly secret: string;
  readonly token: string;
  /** Certificate authority of the servers that may see the token, as PEM. */
  readonly ca: string;
}

const name = "triad-readiness";
export const namespace = "kube-system";
const labels = { "app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "triad" };

const account: V1ServiceAccount = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name, namespace, labels },
  // No pod runs as it; one that did would get no token by itself.
  automountServiceAccountToken: false,
};

const rbacVersion = "rbac.authorization.k8s.io/v1";

const role: V1ClusterRole = {
  apiVersion: rbacVersion,
  kind: "ClusterRole",
  metadata: { name, labels },
  rules: [{ nonResourceURLs: ["/readyz", "/readyz/*"], verbs: ["get"] }],
};

const binding: V1ClusterRoleBinding = {
  apiVersion: rbacVersion,
  kind: "ClusterRoleBinding",
  metadata: { name, labels },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
  subjects: [{ kind: "ServiceAccount", name, namespace }],
};

/** The ServiceAccount that may ask whether a server is ready, and nothing else. */
export async function ensureAccount({ core, rbac }: TokenCluster): Promise<void> {
  const apply = setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply);
  const ours = { name, fieldManager: "triad", force: true };
  await core.patchNamespacedServiceAccount({ ...ours, namespace, body: account }, apply);
  await rbac.patchClusterRole({ ...ours, body: role }, apply);
  await rbac.patchClusterRoleBinding({ ...ours, body: binding }, apply);
}

/**
 * The account's newest token; a new one where there is none, or where a new one is asked for. It does not expire: it is
 * good as long as its Secret is there.
 *
 * @throws ActError when the controller has not filled a new Secret within 30 s
 * @see https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
 */
export async function readinessToken(
  cluster: TokenCluster,
  anew: boolean,
  progress: Progress,
): Promise<ReadinessToken> {
  const newest = anew ? undefined : (await secrets(cluster)).at(-1);
  const secret = newest ?? (await newSecret(cluster));
  const secretName = secret.metadata?.name ?? "";
  return await gate(
    async () => {
      const { data } = await cluster.core.readNamespacedSecret({ name: secretName, namespace });
      const [token, ca] = [decode(data?.["token"]), decode(data?.["ca.crt"])];
      if (token === "" || ca === "") return { seen: "it is empty" };
      return { found: { secret: secretName, token, ca } };
    },
    {
      what: `the token in the Secret ${namespace}/${secretName}`,
      limitMs: 30_000,
      why: "without it the load balancers cannot ask the servers whether they are ready",
      cure: "the controller manager fills it in: see its log on the server that leads, then run pulumi up again",
      progress,
    },
  );
}

/** Ends every other token of the account. */
export async function forgetOthers(
  cluster: TokenCluster,
  { secret }: ReadinessToken,
): Promise<void> {
  for (const { metadata } of await secrets(cluster)) {
    if (metadata?.name === undefined || metadata.name === secret) continue;
    await cluster.core.deleteNamespacedSecret({ name: metadata.name, namespace });
  }
}

/** The oldest first. */
async function secrets({ core }: TokenCluster): Promise<V1Secret[]> {
  const labelSelector = `app.kubernetes.io/name=${name}`;
  const { items } = await core.listNamespacedSecret({ namespace, labelSelector });
  const since = ({ metadata }: V1Secret): number => metadata?.creationTimestamp?.getTime() ?? 0;
  return items.sort((one, other) => since(one) - since(other));
}

async function newSecret({ core }: TokenCluster): Promise<V1Secret> {
  const annotations = { "kubernetes.io/service-account.name": name };
  return await core.createNamespacedSecret({
    namespace,
    body: {
      metadata: { generateName: `${name}-token-`, labels, annotations },
      type: "kubernetes.io/service-account-token",
    },
  });
}

function decode(base64: string | undefined): string {
  return Buffer.from(base64 ?? "", "base64").toString();
}
