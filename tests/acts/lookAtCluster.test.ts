import { strict as assert } from "node:assert";
import type { V1Node } from "@kubernetes/client-node";
import { leaversOf } from "../../acts/lookAtCluster.ts";

function node(name: string, annotations: Record<string, string>, isServer = true): V1Node {
  const labels: Record<string, string> = isServer
    ? { "node-role.kubernetes.io/control-plane": "" }
    : {};
  return { metadata: { name, labels, annotations } };
}

describe("what the cluster is at the end of a run", () => {
  const ours = { "triad.dev/membership": "nonce" };

  it("names servers that leave after it", () => {
    const nodes = [
      node("a", ours),
      node("b", ours),
      node("c", { ...ours, "triad.dev/becomes": "worker" }),
    ];
    assert.deepEqual(
      [...leaversOf(nodes, ["a"])],
      [
        ["b", " (leaves now)"],
        ["c", " (becomes a worker now)"],
      ],
    );
  });

  it("leaves out listed servers, workers, and servers that Triad does not know", () => {
    const nodes = [node("a", ours), node("w", ours, false), node("x", {})];
    assert.equal(leaversOf(nodes, ["a"]).size, 0);
  });
});
