import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hostKeyOf } from "../machines/keys.ts";
import { fault } from "../machines/machine.ts";
import { diskOf } from "../machines/mounts.ts";
import { rebuild } from "../machines/rebuild.ts";
import { readEtcd, readObjects } from "../measure/clusterState.ts";
import { eventually } from "../measure/eventually.ts";
import { pulumi } from "../measure/pulumi.ts";
import { editStack } from "../measure/serverList.ts";
import { up } from "../measure/up.ts";
import { missingToWhole } from "../measure/whole.ts";
import { machineOf } from "../topology.ts";
import { initial, keepLogsOfFailures, missingOf, servers, topology } from "./support.ts";

describe("the machine that was the only server, installed anew", function () {
  this.timeout("15m");
  keepLogsOfFailures();
  const others = servers.slice(1).map((name) => machineOf(topology, name));
  let objects: string[];

  before(async () => {
    objects = await readObjects(topology);
    await rebuild(topology, initial);
    const hostKey = await hostKeyOf(initial.name);
    editStack(topology, ["triad:machines", initial.name, "hostKey"], hostKey);
  });

  it("makes no cluster of its own while the other servers are silent", async () => {
    for (const machine of others) await fault(topology, "partition", machine);
    try {
      const args = ["up", "--yes", "--skip-preview"];
      const { exitCode, output } = await pulumi(topology, "rebuilt-alone", args);
      assert.notEqual(exitCode, 0, output);
      for (const { name } of others) assert.match(output, new RegExp(name));
    } finally {
      for (const machine of others) await fault(topology, "heal", machine);
    }
    const data = join(diskOf(initial.name).root, "/var/lib/rancher/k3s/server");
    assert.ok(!existsSync(data), `${initial.name} has ${data}`);
  });

  it("joins the cluster that lives on without it", async () => {
    await eventually(120, async () => {
      const views = await Promise.all(others.map(({ name }) => readEtcd(topology, name)));
      return views.every(({ learners }) => learners === 0) ? undefined : JSON.stringify(views);
    });
    await up(topology, "rebuilt-join", () => undefined);
    await eventually(180, () => missingToWhole(topology));
    assert.deepEqual(await missingOf(objects), []);
  });

  it("and a second up changes nothing", async () => {
    const steps = await up(topology, "rebuilt-second-up", () => undefined);
    assert.deepEqual(steps.slice(1), []);
  });
});
