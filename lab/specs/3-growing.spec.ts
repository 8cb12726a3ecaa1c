import assert from "node:assert/strict";
import { rehearse } from "../rehearsal.ts";
import type { Rehearsal } from "../rehearsal.ts";
import { keepLogsOfFailures, servers, topology } from "./support.ts";

describe("adding two servers keeps the API answering", function () {
  this.timeout("20m");
  keepLogsOfFailures();
  let rehearsal: Rehearsal;

  it("and all ends as promised", async () => {
    rehearsal = await rehearse(topology);
    assert.deepEqual(rehearsal.broken, []);
    assert.deepEqual(rehearsal.report.etcd, { voters: servers.length, learners: 0 });
  });

  it("outside and inside the cluster", () => {
    // How good it is, the bench says: a busy computer may be late with an answer. An API that restarts, or a backend that
    // is not there, costs far more than this.
    for (const seen of [rehearsal.report.api, rehearsal.report.inCluster]) {
      assert.ok(seen.failed <= seen.total / 100, `${seen.failed} of ${seen.total} failed`);
      assert.ok(seen.longestGapMs < 5_000, `away for ${seen.longestGapMs} ms`);
    }
  });

  it("loses no acknowledged write, and no object", () => {
    const { writes, before, after } = rehearsal.report;
    assert.equal(writes.lost, 0);
    assert.ok(writes.acknowledged > 0);
    assert.ok(after.objects >= before.objects);
  });
});
