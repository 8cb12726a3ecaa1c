// Begins with a new lab, and leaves one without a cluster.
import assert from "node:assert/strict";
import { upBeforeState } from "../lab.ts";
import { exec } from "../machines/machine.ts";
import { readEtcd } from "../measure/clusterState.ts";
import { diskDifferences, readDisk, type DiskState } from "../measure/diskState.ts";
import { kubectl } from "../measure/inside.ts";
import { pulumi } from "../measure/pulumi.ts";
import { runPulumi } from "../measure/pulumiRun.ts";
import { findHolder } from "../measure/roles.ts";
import { endedSince, runningSince } from "../measure/runningSince.ts";
import { editStack, listServers } from "../measure/serverList.ts";
import { up } from "../measure/up.ts";
import { balancersOf, machineOf, machinesWith } from "../topology.ts";
import { watched } from "./costs.ts";
import { isAgentAgain, remainsOf, remainsOnMachine } from "./remains.ts";
import { expectRefusal, initial, keepLogsOfFailures, servers, topology } from "./support.ts";
import { growToThree, untilThree } from "./threeServers.ts";
import { unlikeFound } from "./wipedDisk.ts";

const joined = servers.slice(1);
const [, second = ""] = servers;
const quiet = (): undefined => undefined;

describe("destroying the whole stack", function () {
  this.timeout("15m");
  keepLogsOfFailures();
  let found: DiskState;

  before(async () => {
    await upBeforeState(topology);
    found = await readDisk(second);
    await growToThree();
  });

  it("lets the servers leave that joined; the adopted one runs on, with its endpoint", async () => {
    const before = await runningSince(topology);
    await destroyed("destroy");
    const balancers = machinesWith(topology, "load-balancer").map(({ name }) => name);
    const ended = endedSince(before, await runningSince(topology), [...joined, ...balancers]);
    assert.deepEqual(ended, []);
    assert.deepEqual(await readEtcd(topology, initial.name), { voters: 1, learners: 0 });
    for (const name of joined) {
      const machine = machineOf(topology, name);
      assert.deepEqual(await remainsOf(machine, isAgentAgain(machine)), []);
    }
    await expectEndpoint();
  });

  it("and an up takes the cluster over again, and makes three", async () => {
    listServers(topology, servers);
    await up(topology, "again", quiet);
    await untilThree();
  });

  it("where all is to be forgotten, changes nothing on any machine", async () => {
    editStack(topology, ["triad:onDestroy"], "forget");
    await up(topology, "forget", quiet);
    const before = await runningSince(topology);
    await destroyed("forgotten");
    assert.deepEqual(await runningSince(topology), before);
    assert.deepEqual(await readEtcd(topology, initial.name), { voters: 3, learners: 0 });
    await expectEndpoint();
  });

  it("wipes nothing without the cluster's name", async () => {
    editStack(topology, ["triad:onDestroy"], "wipe");
    await expectRefusal(/wipe/, /homelab/);
  });

  it("and with it ends the cluster", async () => {
    editStack(topology, ["triad:wipe"], "homelab");
    await up(topology, "wipe", quiet);
    const run = await runPulumi(topology, "wiped", "pulumi destroy");
    assert.equal(run.exitCode, 0, run.output);
    await expectNoStack();
    for (const name of servers) {
      const machine = machineOf(topology, name);
      assert.deepEqual(await remainsOnMachine(machine, isAgentAgain(machine)), []);
    }
    for (const { name } of balancersOf(topology)) {
      const { stdout } = await exec(name, ["ip", "-oneline", "address"]);
      assert.ok(!stdout.includes(` ${topology.endpoint.address}/`), `${name} holds the endpoint`);
    }
  });

  it("and a wiped machine is as it was found", async () => {
    assert.deepEqual(unlikeFound(diskDifferences(found, await readDisk(second))), []);
  });

  async function destroyed(name: string): Promise<void> {
    const { result: run, noticed } = await watched(name, name, () =>
      runPulumi(topology, name, "pulumi destroy"),
    );
    assert.equal(run.exitCode, 0, run.output);
    await expectNoStack();
    assert.deepEqual(noticed, []);
  }
});

async function expectNoStack(): Promise<void> {
  const { output } = await pulumi(topology, "export", ["stack", "export"]);
  assert.doesNotMatch(output, /command:(remote|local):/);
}

async function expectEndpoint(): Promise<void> {
  const { address, port, name } = topology.endpoint;
  await findHolder(topology);
  await kubectl(topology, [`--server=https://${address}:${String(port)}`, "get", "nodes"]);
  for (const worker of machinesWith(topology, "worker")) {
    const url = `https://${name}:${String(port)}/readyz`;
    const status = ["--output", "/dev/null", "--write-out", "%{http_code}"];
    const ask = ["curl", "--silent", "--insecure", "--max-time", "5", ...status, url];
    const { stdout } = await exec(worker.name, ask);
    assert.match(stdout, /^(200|401)$/, `${worker.name} asked ${url}`);
  }
}
