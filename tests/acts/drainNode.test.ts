import { strict as assert } from "node:assert";
import type { V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node";
import { budgetsOf } from "../../acts/disruptionBudgets.ts";
import { describeLeft, drainNode, isEvictable } from "../../acts/drainNode.ts";
import type { LiveCluster } from "../../acts/liveCluster.ts";

function pod(
  name: string,
  labels: Record<string, string> = {},
  more: V1Pod["metadata"] = {},
): V1Pod {
  return { metadata: { name, namespace: "shop", labels, ...more } };
}

function budget(
  name: string,
  selector?: NonNullable<V1PodDisruptionBudget["spec"]>["selector"],
  namespace = "shop",
): V1PodDisruptionBudget {
  return { metadata: { name, namespace }, spec: selector === undefined ? {} : { selector } };
}

describe("draining a Node", () => {
  it("means pods that somebody starts elsewhere, and none that belong to the Node", () => {
    assert.ok(isEvictable(pod("web")));
    const owner = { apiVersion: "apps/v1", kind: "DaemonSet", name: "flannel", uid: "1" };
    assert.ok(!isEvictable(pod("flannel", {}, { ownerReferences: [owner] })));
    assert.ok(
      !isEvictable(pod("etcd", {}, { annotations: { "kubernetes.io/config.mirror": "h" } })),
    );
    assert.ok(!isEvictable({ ...pod("job"), status: { phase: "Succeeded" } }));
  });

  it("names the pods that nobody starts elsewhere, and ends them too", async () => {
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "1" };
    const pods = [pod("mine"), pod("web-0", {}, { ownerReferences: [owner] })];
    const told: string[] = [];
    const core = {
      listPodForAllNamespaces: async () => ({ items: [...pods] }),
      createNamespacedPodEviction: async ({ name }: { name: string }) => {
        pods.splice(
          pods.findIndex(({ metadata }) => metadata?.name === name),
          1,
        );
      },
    };
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest is not used
    const cluster = { core } as unknown as LiveCluster;
    await drainNode(cluster, "hp", { why: "", cure: "" }, (line) => told.push(line));
    assert.deepEqual(pods, []);
    assert.equal(told[0], "warning: nobody starts these pods elsewhere, they end: shop/mine");
  });

  it("that does not end names each pod, and the budgets that hold it", () => {
    const [web, db, cache] = [pod("web-0", { app: "web" }), pod("db-0"), pod("cache-0")];
    const ending = pod("old-0", {}, { deletionTimestamp: new Date() });
    const seen = describeLeft(
      [web, db, cache, ending],
      [web, db],
      [budget("web", { matchLabels: { app: "web" } })],
    );
    assert.equal(
      seen,
      "shop/cache-0, shop/db-0 (held by a PodDisruptionBudget), shop/old-0 (it is ending), shop/web-0 (held by PodDisruptionBudget shop/web)",
    );
  });
});

describe("the disruption budgets of a pod", () => {
  const web = pod("web-0", { app: "web", tier: "front" });
  const table: readonly (readonly [string, V1PodDisruptionBudget, boolean])[] = [
    ["an empty selector means every pod", budget("all", {}), true],
    ["none at all means no pod", budget("none"), false],
    ["another namespace's does not count", budget("all", {}, "bank"), false],
    [
      "labels that are all the pod's",
      budget("b", { matchLabels: { app: "web", tier: "front" } }),
      true,
    ],
    [
      "labels of which one is not",
      budget("b", { matchLabels: { app: "web", tier: "back" } }),
      false,
    ],
    [
      "a label with one of several values",
      budget("b", { matchExpressions: [{ key: "app", operator: "In", values: ["web", "api"] }] }),
      true,
    ],
    [
      "a label that must not have a value",
      budget("b", { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] }),
      false,
    ],
    [
      "a label that must be there",
      budget("b", { matchExpressions: [{ key: "app", operator: "Exists" }] }),
      true,
    ],
    [
      "a label that must not be there",
      budget("b", { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }),
      false,
    ],
  ];
  for (const [what, one, counts] of table) {
    it(what, () =>
      assert.deepEqual(budgetsOf(web, [one]), counts ? [`shop/${one.metadata?.name}`] : []),
    );
  }
});
