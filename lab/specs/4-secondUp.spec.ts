import assert from "node:assert/strict";
import { pulumi } from "../measure/pulumi.ts";
import { runningSince } from "../measure/runningSince.ts";
import { up } from "../measure/up.ts";
import { keepLogsOfFailures, topology } from "./support.ts";

describe("a second up restarts nothing", function () {
  this.timeout("5m");
  keepLogsOfFailures();

  it("no service and no container on any machine", async () => {
    const before = await runningSince(topology);
    const steps = await up(topology, "second-up", () => undefined);
    assert.deepEqual(steps.slice(1), []);
    assert.deepEqual(await runningSince(topology), before);
  });

  it("and its preview expects no changes", async () => {
    const args = ["preview", "--expect-no-changes", "--diff"];
    const { exitCode, output } = await pulumi(topology, "preview", args);
    assert.equal(exitCode, 0, output);
  });
});
