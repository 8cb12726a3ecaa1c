import assert from "node:assert/strict";
import { readEtcd } from "../measure/clusterState.ts";
import { eventually } from "../measure/eventually.ts";
import { pulumi } from "../measure/pulumi.ts";
import { editStack } from "../measure/serverList.ts";
import { up } from "../measure/up.ts";
import { missingToWhole } from "../measure/whole.ts";
import { machineOf } from "../topology.ts";
import { cutPowerDuringUp, isOnDisk } from "./moments.ts";
import { initial, keepLogsOfFailures, servers, shell, topology } from "./support.ts";

const [, second = "", third = ""] = servers;
const paused = { voters: 2, learners: 0 };
const token = "/var/lib/rancher/k3s/server/token";

describe("a join that fails", function () {
  this.timeout("15m");
  keepLogsOfFailures();

  before(() => editStack(topology, ["triad:pauseAfter"], undefined));

  it("for a wrong token says so, and leaves an agent that runs on", async () => {
    const living = [initial.name, second];
    // As somebody leaves it who changes a password by hand: the servers themselves go on with what they know.
    for (const server of living)
      await shell(server, `cp -pL ${token} ${token}.right; sed -i 's/[^:]*$/wrong/' ${token}`);
    try {
      const args = ["up", "--yes", "--skip-preview"];
      const { exitCode, output } = await pulumi(topology, "wrong-token", args);
      assert.notEqual(exitCode, 0, output);
      assert.match(output, new RegExp(`\\b${third}\\b`));
      assert.match(output, /refuses this machine's token/);
    } finally {
      for (const server of living) await shell(server, `cp -p ${token}.right ${token}`);
    }
    await shell(third, "systemctl is-active k3s-agent && ! test -e /var/lib/rancher/k3s/server");
    assert.deepEqual(await readEtcd(topology, initial.name), paused);
  });

  it("for a loss of power is finished by the next up, and leaves no learner", async () => {
    const machine = machineOf(topology, third);
    await cutPowerDuringUp("join-cut", machine, () =>
      isOnDisk(machine, "/var/lib/rancher/k3s/server/db/etcd/member/wal"),
    );
    await up(topology, "join-healed", () => undefined);
    await eventually(120, () => missingToWhole(topology));
    const steps = await up(topology, "join-second-up", () => undefined);
    assert.deepEqual(steps.slice(1), []);
  });
});
