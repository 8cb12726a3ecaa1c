import { strict as assert } from "node:assert";
import { planCluster } from "../../../plan/clusterPlan.ts";
import { nextSteps, recoveryOf } from "../../../tools/recovery/recoveryOf.ts";
import { sampleConfig } from "../../plan/sampleConfig.ts";

const plan = planCluster(
  sampleConfig({ servers: ["one", "two", "three"], workers: ["w1"], described: ["spare"] }),
);

describe("what a recovery is told", () => {
  it("the listed servers but for the one that is left are taken for lost", () => {
    const { survivor, lost, workers, snapshot } = recoveryOf(plan, "two");
    assert.equal(survivor.name, "two");
    assert.deepEqual(
      lost.map(({ name }) => name),
      ["one", "three"],
    );
    assert.deepEqual(
      workers.map(({ name }) => name),
      ["w1"],
    );
    assert.equal(snapshot, undefined);
    assert.equal(recoveryOf(plan, "two", "backups/a").snapshot, "backups/a");
  });

  it("a server that was taken off the list may be the one that is left", () => {
    assert.equal(recoveryOf(plan, "spare").lost.length, 3);
  });

  it("an unknown machine, or a load balancer, is refused by name", () => {
    for (const name of ["for", "lb1"]) {
      assert.throws(() => recoveryOf(plan, name), /describes no machine .* that could be a server/);
    }
  });

  it("what is to be done next names each lost machine", () => {
    const text = nextSteps(plan, "two", "/var/lib/triad/recovery/x", true);
    assert.match(text, /triad:machines\.one\.gone: true\n *triad:machines\.three\.gone: true/);
    assert.match(text, /Two of them together would be the old cluster again/);
  });
});
