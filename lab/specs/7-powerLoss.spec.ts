import assert from "node:assert/strict";
import { fault } from "../machines/machine.ts";
import { eventually } from "../measure/eventually.ts";
import { figures } from "../measure/figures.ts";
import { Measurement } from "../measure/measurement.ts";
import { promisesOf } from "../measure/verify.ts";
import { missingToWhole } from "../measure/whole.ts";
import { samplesFolder } from "../rehearsal.ts";
import { initial, isK3s, keepLogsOfFailures, topology } from "./support.ts";

describe("the machine that was the only server can be powered off", function () {
  this.timeout("10m");
  keepLogsOfFailures();
  /** etcd of k3s waits 5 to 10 s before it elects another leader, kubeadm's a tenth of that. */
  const limitMs = isK3s ? 15_000 : 10_000;
  /**
   * k3s' servers carry pods too: one of the workload's is taken out of its Service when its Node is found to be gone,
   * which Kubernetes gives 50 s, after another controller manager leads.
   */
  const limitSeconds = isK3s ? 120 : 60;

  it("while API and workload go on", async () => {
    const measurement = await Measurement.start(topology, `${samplesFolder}-power-loss`);
    const startMs = Date.now();
    await fault(topology, "power-off", initial);
    for (const { sentence, look } of promisesOf(topology).filter((one) =>
      /workload/.test(one.sentence),
    )) {
      await eventually(limitSeconds, async () => {
        const instead = await look(topology);
        return instead === undefined ? undefined : `${sentence}: ${instead}`;
      });
    }
    const { whole, outside, writes, lost } = await measurement.stop();
    const gone = { startMs, endMs: whole.endMs };
    const api = figures(outside, whole, gone);
    const written = figures(writes, whole, gone);
    // Without a quorum it would be for good; how long it really is, the bench says.
    assert.ok(api.longestGapMs < limitMs, `the API was away for ${String(api.longestGapMs)} ms`);
    assert.ok(written.longestGapMs < limitMs, `no write for ${String(written.longestGapMs)} ms`);
    assert.deepEqual(lost, []);
  });

  it("and makes three voters again without a hand when it is powered on", async () => {
    await fault(topology, "power-on", initial);
    await eventually(180, () => missingToWhole(topology));
  });
});
