import assert from "node:assert/strict";
import { compare } from "../../lab/measure/bench.ts";

describe("one → three beside the same by hand", () => {
  it("counts the retrofit and all from the first join to the last, not what is only Triad's", () => {
    const step = (name: string, startMs: number, endMs: number) => ({ name, startMs, endMs });
    const steps = [
      step("adopt", 0, 20_000),
      step("homelab-control-plane", 10_000, 14_000),
      step("k8s-master-membership", 14_000, 17_000),
      step("grow", 20_000, 120_000),
      step("k8s-master-2-kubernetes", 21_000, 45_000),
      step("k8s-master-2-membership", 45_000, 70_000),
      step("k8s-master-3-membership", 46_000, 91_000),
      step("homelab-verified", 115_000, 120_000),
    ];
    assert.deepEqual(compare(40_000, steps), { byHandMs: 40_000, triadMs: 50_000, ratio: 1.25 });
  });
});
