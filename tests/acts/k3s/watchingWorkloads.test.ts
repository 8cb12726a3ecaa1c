import { strict as assert } from "node:assert";
import type { V1PodSpec } from "@kubernetes/client-node";
import { listWatchers, talksToApi, watcherOf } from "../../../acts/k3s/watchingWorkloads.ts";

const containers = [{ name: "c", image: "i" }];
const token = {
  name: "token",
  projected: { sources: [{ serviceAccountToken: { path: "token" } }] },
};

function workload(namespace: string, name: string, spec: object = {}, labels = {}) {
  const template = { spec: { containers, serviceAccountName: name, ...spec } };
  return { metadata: { namespace, name, labels }, spec: { selector: {}, template, ...spec } };
}

describe("which workloads watch the API", () => {
  const pods: [string, Partial<V1PodSpec>, boolean][] = [
    ["nothing said", {}, false],
    ["the account default", { serviceAccountName: "default" }, false],
    ["an account of its own", { serviceAccountName: "longhorn" }, true],
    ["by the old name of the field", { serviceAccount: "longhorn" }, true],
    [
      "an account whose token is not mounted",
      { serviceAccountName: "svclb", automountServiceAccountToken: false },
      false,
    ],
    [
      "one that mounts the token by itself",
      { serviceAccountName: "own", automountServiceAccountToken: false, volumes: [token] },
      true,
    ],
  ];
  for (const [what, spec, expected] of pods) {
    it(`${what}: ${expected ? "yes" : "no"}`, () => {
      assert.equal(talksToApi({ spec: { containers, ...spec } }), expected);
    });
  }

  it("starts with CoreDNS, then kube-system, then the rest by name", async () => {
    const list =
      (...items: unknown[]) =>
      async () => ({ items });
    const apps = {
      listDeploymentForAllNamespaces: list(
        workload("argocd", "server"),
        workload("kube-system", "traefik"),
        workload("kube-system", "coredns", {}, { "k8s-app": "kube-dns" }),
        workload("web", "shop", { serviceAccountName: "default" }),
      ),
      listDaemonSetForAllNamespaces: list(workload("longhorn-system", "manager")),
      listStatefulSetForAllNamespaces: list(workload("argocd", "controller")),
    };
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest of a cluster is not used
    const watchers = await listWatchers({ apps } as unknown as Parameters<typeof listWatchers>[0]);
    assert.deepEqual(
      watchers.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
      [
        "Deployment kube-system/coredns",
        "Deployment kube-system/traefik",
        "StatefulSet argocd/controller",
        "Deployment argocd/server",
        "DaemonSet longhorn-system/manager",
      ],
    );
  });

  it("says which can't be rolled out", () => {
    const [onDelete] = watcherOf(
      "DaemonSet",
      workload("x", "y", { updateStrategy: { type: "OnDelete" } }),
    );
    assert.match(onDelete?.byHand ?? "", /OnDelete/);
    const [paused] = watcherOf("Deployment", workload("x", "y", { paused: true }));
    assert.match(paused?.byHand ?? "", /paused/);
    const [plain] = watcherOf("Deployment", workload("x", "y"));
    assert.equal(plain?.byHand, undefined);
  });
});
