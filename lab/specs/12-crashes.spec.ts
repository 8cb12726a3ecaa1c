import assert from "node:assert/strict";
import { rememberResidents } from "../before/remembered.ts";
import { nameOf, sampleOf } from "../crashMatrix/cases.ts";
import { folderOf, runCase, type Stage } from "../crashMatrix/runCase.ts";
import { programHash } from "../savedState/programHash.ts";
import { States } from "../savedState/states.ts";
import { topology } from "./support.ts";

/** A sample of `make crash-matrix`: each case begins with a state of its own, whatever lab was up. */
describe("a run that was interrupted is healed by the same run", function () {
  this.timeout("30m");
  let stage: Stage;

  before(async () => {
    stage = { topology, states: await States.of(topology), program: await programHash() };
  });

  // A loss of power restarts what may not notice a change: later specs count from here.
  after(() => rememberResidents(topology));

  for (const one of sampleOf(topology)) {
    it(nameOf(one, topology), async () => {
      const { converged, problem, voters } = await runCase(stage, one);
      assert.ok(converged, `${problem ?? ""}\nwhat was seen: ${folderOf(topology, one)}`);
      assert.equal(voters, 3);
    });
  }
});
