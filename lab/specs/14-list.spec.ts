// Begins with three servers, and leaves three.
import assert from "node:assert/strict";
import { fault } from "../machines/machine.ts";
import { changed } from "../measure/changes.ts";
import { readEtcd } from "../measure/clusterState.ts";
import { kubectl } from "../measure/inside.ts";
import { pulumi } from "../measure/pulumi.ts";
import { runPulumi } from "../measure/pulumiRun.ts";
import { findHolder } from "../measure/roles.ts";
import { endedSince, runningSince } from "../measure/runningSince.ts";
import { listServers, listWorkers } from "../measure/serverList.ts";
import { stackOutput } from "../measure/stackOutput.ts";
import { VoterWatch } from "../measure/voterWatch.ts";
import { brokenPromises } from "../rehearsal.ts";
import { machineOf, machinesWith, type Topology } from "../topology.ts";
import { watched } from "./costs.ts";
import { destroyServer, expectToStay, partsOf } from "./leaving.ts";
import { place, placedOn, unplace, type Placed } from "./placed.ts";
import { isAgentAgain, remainsOf } from "./remains.ts";
import { expectRefusal, initial, isK3s, keepLogsOfFailures, servers, topology } from "./support.ts";
import { beginWithThree, untilThree } from "./threeServers.ts";

const leavers = servers.slice(1);
const [, , last = ""] = servers;
const workers = machinesWith(topology, "worker").map(({ name }) => name);

describe("three servers become one by the list", function () {
  this.timeout("15m");
  keepLogsOfFailures();

  before(beginWithThree);
  afterEach(() => fault(topology, "mend-ssh", machineOf(topology, last)));

  it("not while SSH to the leaver is cut while it still runs: nothing is changed", async () => {
    await fault(topology, "cut-ssh", machineOf(topology, last));
    const before = await runningSince(topology);
    await expectToStay(last, new RegExp(`\\b${last}\\b`));
    assert.deepEqual(await runningSince(topology), before);
    listServers(topology, [initial.name]);
    await expectRefusal(new RegExp(`\\b${last}\\b`));
  });

  it("but the same command goes on afterwards: both leave, one after the other", async () => {
    const before = await runningSince(topology);
    const watch = new VoterWatch(topology, initial.name);
    const { result: run, noticed } = await watched("to-one", "three → one", () =>
      runPulumi(topology, "to-one", "pulumi up"),
    ).finally(() => watch.stop());
    assert.equal(run.exitCode, 0, run.output);
    assert.deepEqual(await watch.stop(), [3, 2, 1]);
    const deleted = changed(run.changes, "delete");
    for (const part of leavers.flatMap(partsOf)) assert.ok(deleted.includes(part), part);
    const others = deleted.filter((part) => !leavers.some((name) => part.includes(` ${name}`)));
    assert.deepEqual(others, []);
    assert.deepEqual(
      run.changes.filter((change) => /replace/.test(change)),
      [],
    );
    assert.deepEqual(endedSince(before, await runningSince(topology), leavers), []);
    assert.deepEqual(noticed, []);
  });

  it("ending on an etcd with one member, whose endpoint is valid", async () => {
    assert.deepEqual(await readEtcd(topology, initial.name), { voters: 1, learners: 0 });
    const { address, port } = topology.endpoint;
    await kubectl(topology, [`--server=https://${address}:${String(port)}`, "get", "nodes"]);
    if (isK3s) assert.equal(await findHolder(topology), initial.name);
    for (const name of leavers) {
      const machine = machineOf(topology, name);
      assert.deepEqual(await remainsOf(machine, isAgentAgain(machine)), []);
    }
    const { members } = (await stackOutput(topology)).verified;
    assert.equal(members.length, 1, members.join(", "));
    const args = ["preview", "--expect-no-changes", "--diff"];
    const { exitCode, output } = await pulumi(topology, "one-preview", args);
    assert.equal(exitCode, 0, output);
  });

  it("and the last voter never leaves", async () => {
    const before = await runningSince(topology);
    const { output } = await destroyServer(initial.name, "last-voter");
    assert.match(output, /last server/);
    assert.deepEqual(await readEtcd(topology, initial.name), { voters: 1, learners: 0 });
    assert.deepEqual(await runningSince(topology), before);
  });

  it("and the old list brings three back", async () => {
    listServers(topology, servers);
    const { result: run, noticed } = await watched("to-three", "one → three", () =>
      runPulumi(topology, "to-three", "pulumi up"),
    );
    assert.equal(run.exitCode, 0, run.output);
    await untilThree();
    assert.deepEqual(await brokenPromises(topology, () => undefined), []);
    assert.deepEqual(noticed, []);
  });
});

describe("servers that become workers", function () {
  this.timeout("15m");
  keepLogsOfFailures();
  /** The home as it is then. */
  const demoted: Topology = {
    ...topology,
    machines: topology.machines.map((machine) =>
      leavers.includes(machine.name) ? { ...machine, role: "worker" } : machine,
    ),
  };
  const placed = async (): Promise<Placed[]> => await Promise.all(leavers.map(placedOn));
  let was: Placed[];

  before(async () => {
    await beginWithThree();
    await Promise.all(leavers.map(place));
    was = await placed();
  });
  after(() => Promise.all(leavers.map(unplace)));

  it("by their names moving from one list to the other keep Node, pods and data", async () => {
    listServers(topology, [initial.name]);
    listWorkers(topology, [...workers, ...leavers]);
    const watch = new VoterWatch(topology, initial.name);
    const { result: run, noticed } = await watched("to-workers", "two become workers", () =>
      runPulumi(topology, "to-workers", "pulumi up"),
    ).finally(() => watch.stop());
    assert.equal(run.exitCode, 0, run.output);
    assert.deepEqual(await watch.stop(), [3, 2, 1]);
    for (const name of leavers)
      assert.deepEqual(await remainsOf(machineOf(topology, name), true), []);
    assert.deepEqual(await placed(), was);
    assert.deepEqual(noticed, []);
  });

  it("and are workers like any other", async () => {
    assert.deepEqual(await brokenPromises(demoted, () => undefined), []);
  });

  it("and the old lists make them servers again, with their data", async () => {
    listServers(topology, servers);
    listWorkers(topology, workers);
    const { result: run, noticed } = await watched(
      "from-workers",
      "two workers become servers",
      () => runPulumi(topology, "from-workers", "pulumi up"),
    );
    assert.equal(run.exitCode, 0, run.output);
    await untilThree();
    // kubeadm's workers are drained before they are servers: it knows no other way.
    const kept = ({ node, pods, data }: Placed): object =>
      isK3s ? { node, pods, data } : { data };
    assert.deepEqual((await placed()).map(kept), was.map(kept));
    assert.deepEqual(await brokenPromises(topology, () => undefined), []);
    assert.deepEqual(noticed, []);
  });
});
