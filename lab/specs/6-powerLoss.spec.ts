import assert from "node:assert/strict";
import { fault } from "../machines/machine.ts";
import { eventually } from "../measure/eventually.ts";
import { figures } from "../measure/figures.ts";
import { Measurement } from "../measure/measurement.ts";
import { promises } from "../measure/verify.ts";
import { missingToWhole } from "../measure/whole.ts";
import { samplesFolder } from "../rehearsal.ts";
import { machineOf } from "../topology.ts";
import { keepLogsOfFailures, servers, topology } from "./support.ts";

describe("the machine that was the only server can be powered off", function () {
  this.timeout("10m");
  keepLogsOfFailures();
  const [first = ""] = servers;
  const initial = machineOf(topology, first);

  it("while API and workload go on", async () => {
    const measurement = await Measurement.start(topology, `${samplesFolder}-power-loss`);
    const startMs = Date.now();
    await fault(topology, "power-off", initial);
    for (const { sentence, look } of promises.filter((one) => /workload/.test(one.sentence))) {
      await eventually(60, async () => {
        const instead = await look(topology);
        return instead === undefined ? undefined : `${sentence}: ${instead}`;
      });
    }
    const { whole, outside, writes, lost } = await measurement.stop();
    const gone = { startMs, endMs: whole.endMs };
    const api = figures(outside, whole, gone);
    const written = figures(writes, whole, gone);
    // Without a quorum it would be for good; how long it really is, the bench says.
    assert.ok(api.longestGapMs < 10_000, `the API was away for ${String(api.longestGapMs)} ms`);
    assert.ok(written.longestGapMs < 10_000, `no write for ${String(written.longestGapMs)} ms`);
    assert.deepEqual(lost, []);
  });

  it("and makes three voters again without a hand when it is powered on", async () => {
    await fault(topology, "power-on", initial);
    await eventually(180, () => missingToWhole(topology));
  });
});
