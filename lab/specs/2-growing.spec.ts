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
    const { api, inCluster } = rehearsal.report;
    assert.equal(api.failed, 0);
    // A pod's connection may reach the one API server that is just coming up; no user waits for that.
    assert.ok(inCluster.failed <= 1, `${String(inCluster.failed)} failed in the cluster`);
    assert.ok(api.longestGapMs < 1000 && inCluster.longestGapMs < 2000);
  });

  it("loses no acknowledged write, and no object", () => {
    const { writes, before, after } = rehearsal.report;
    assert.equal(writes.lost, 0);
    assert.ok(writes.acknowledged > 0);
    assert.ok(after.objects >= before.objects);
  });
});
