import assert from "node:assert/strict";
import { closestName } from "../../config/closestName.ts";

describe("did you mean", () => {
  const cases: [word: string, names: string[], expected: string | undefined][] = [
    ["k8s-mastr-2", ["k8s-master", "k8s-master-2", "k8s-master-3"], "k8s-master-2"],
    ["adress", ["address", "hostKey"], "address"],
    ["HOSTKEY", ["address", "hostKey"], "hostKey"],
    ["shuttle", ["k8s-master", "lb1"], undefined],
    ["lb3", ["lb1"], "lb1"],
    ["x", [], undefined],
  ];
  for (const [word, names, expected] of cases) {
    it(`${word}: ${expected ?? "nothing"}`, () => {
      assert.equal(closestName(word, names), expected);
    });
  }
});
