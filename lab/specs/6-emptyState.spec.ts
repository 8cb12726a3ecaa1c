import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../measure/eventually.ts";
import { pulumi } from "../measure/pulumi.ts";
import { runningSince } from "../measure/runningSince.ts";
import { missingToWhole } from "../measure/whole.ts";
import { stackFileOf } from "../stackFile.ts";
import { brokenPromises } from "../rehearsal.ts";
import { keepLogsOfFailures, topology } from "./support.ts";

describe("an empty state adopts the cluster without a restart", function () {
  this.timeout("10m");
  keepLogsOfFailures();
  const folder = mkdtempSync(join(tmpdir(), "triad-empty-state-"));
  const env = { PULUMI_BACKEND_URL: `file://${folder}` };
  const copy = join(folder, "stack.yaml");

  before(() => copyFileSync(stackFileOf(topology), copy));
  after(() => {
    copyFileSync(copy, stackFileOf(topology));
    rmSync(folder, { recursive: true });
  });

  it("with all its servers at once", async () => {
    await eventually(120, () => missingToWhole(topology));
    const before = await runningSince(topology);
    const init = ["stack", "init", topology.stack];
    const made = await pulumi(topology, "empty-init", init, env);
    assert.equal(made.exitCode, 0, made.output);
    const args = ["up", "--yes", "--skip-preview"];
    const { exitCode, output } = await pulumi(topology, "empty-up", args, env);
    assert.equal(exitCode, 0, output);
    assert.deepEqual(await runningSince(topology), before);
  });

  it("and expects no changes afterwards", async () => {
    const args = ["preview", "--expect-no-changes", "--diff"];
    const { exitCode, output } = await pulumi(topology, "empty-preview", args, env);
    assert.equal(exitCode, 0, output);
    assert.deepEqual(await brokenPromises(topology, () => undefined), []);
  });
});
