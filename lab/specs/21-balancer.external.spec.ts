// Begins with a new lab, and leaves three servers behind a balancer that somebody else runs.
import assert from "node:assert/strict";
import { runPulumi } from "../measure/pulumiRun.ts";
import { runningSince } from "../measure/runningSince.ts";
import { rehearse } from "../rehearsal.ts";
import { keepLogsOfFailures, servers, topology } from "./support.ts";

describe("an endpoint that somebody else runs", function () {
  this.timeout("25m");
  keepLogsOfFailures();

  it("one → three behind it, with the text that Triad prints and nothing else: all as promised", async () => {
    const { broken, report } = await rehearse(topology);
    assert.deepEqual(broken, []);
    assert.deepEqual(report.etcd, { voters: servers.length, learners: 0 });
    assert.equal(report.writes.lost, 0);
  });

  it("a second up changes nothing, there or on any machine", async () => {
    const before = await runningSince(topology);
    const { changes, exitCode, output } = await runPulumi(topology, "second-up", "pulumi up");
    assert.equal(exitCode, 0, output);
    assert.deepEqual(changes, []);
    assert.deepEqual(await runningSince(topology), before);
  });
});
