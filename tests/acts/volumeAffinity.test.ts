import { strict as assert } from "node:assert";
import type { V1Node, V1NodeSelectorTerm, V1PersistentVolume } from "@kubernetes/client-node";
import { nodesOf } from "../../acts/volumeAffinity.ts";

const nodes: readonly V1Node[] = ["a", "b", "c"].map((name, index) => ({
  metadata: { name, labels: { "kubernetes.io/hostname": name, disks: String(index) } },
}));

function volume(...nodeSelectorTerms: V1NodeSelectorTerm[]): V1PersistentVolume {
  return { spec: { nodeAffinity: { required: { nodeSelectorTerms } } } };
}

const host = (operator: string, ...values: string[]): V1NodeSelectorTerm => ({
  matchExpressions: [{ key: "kubernetes.io/hostname", operator, values }],
});
const disks = (operator: string, value: string): V1NodeSelectorTerm => ({
  matchExpressions: [{ key: "disks", operator, values: [value] }],
});

describe("the Nodes that can use a volume", () => {
  const table: readonly (readonly [string, V1PersistentVolume, readonly string[] | undefined])[] = [
    ["all where it does not say", { spec: {} }, undefined],
    ["one, as of k3s's local-path", volume(host("In", "c")), ["c"]],
    ["those of any term", volume(host("In", "c"), host("In", "a")), ["a", "c"]],
    ["none where a term asks for nothing", volume({}), []],
    ["by what a label is not", volume(host("NotIn", "a")), ["b", "c"]],
    ["by number", volume(disks("Gt", "0")), ["b", "c"]],
    ["by number, below", volume(disks("Lt", "1")), ["a"]],
    [
      "by name",
      volume({ matchFields: [{ key: "metadata.name", operator: "In", values: ["b"] }] }),
      ["b"],
    ],
    [
      "by a label that is there, or is not",
      volume(host("Exists"), host("DoesNotExist")),
      ["a", "b", "c"],
    ],
    ["none where its Node is no more", volume(host("In", "gone")), []],
  ];
  for (const [what, one, expected] of table) {
    it(what, () => assert.deepEqual(nodesOf(one, nodes), expected));
  }
});
