import assert from "node:assert/strict";
import { figures } from "../measure/figures.ts";
import { rehearse } from "../rehearsal.ts";
import type { Rehearsal } from "../rehearsal.ts";
import { isK3s, keepLogsOfFailures, servers, topology } from "./support.ts";

describe("adding two servers keeps the API answering", function () {
  this.timeout("20m");
  keepLogsOfFailures();
  let rehearsal: Rehearsal;

  it("and all ends as promised", async () => {
    rehearsal = await rehearse(topology);
    assert.deepEqual(rehearsal.broken, []);
    assert.deepEqual(rehearsal.report.etcd, { voters: servers.length, learners: 0 });
  });

  it("outside and inside the cluster, but for the restart by which k3s converts", () => {
    // How good it is, the bench says: a busy computer may be late with an answer. An API that restarts, or a backend that
    // is not there, costs far more than this.
    const { measured, steps } = rehearsal;
    const { whole } = measured;
    const conversion = isK3s
      ? steps.findLast(({ name }) => /-control-plane$/.test(name))
      : undefined;
    const windows =
      conversion === undefined
        ? [whole]
        : [
            { startMs: whole.startMs, endMs: conversion.startMs },
            { startMs: conversion.endMs, endMs: whole.endMs },
          ];
    for (const samples of [measured.outside, measured.inCluster]) {
      for (const window of windows) {
        const seen = figures(samples, whole, window);
        assert.ok(seen.failed <= seen.total / 100, `${seen.failed} of ${seen.total} failed`);
        assert.ok(seen.longestGapMs < 5_000, `away for ${seen.longestGapMs} ms`);
      }
      const { longestGapMs } = figures(samples, whole, whole);
      assert.ok(longestGapMs < 60_000, `the conversion took the API away for ${longestGapMs} ms`);
    }
  });

  it("loses no acknowledged write, and no object", () => {
    const { writes, before, after } = rehearsal.report;
    assert.equal(writes.lost, 0);
    assert.ok(writes.acknowledged > 0);
    assert.ok(after.objects >= before.objects);
  });
});
