// Begins with three servers, and leaves three.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { exec, fault } from "../machines/machine.ts";
import { rebuild } from "../machines/rebuild.ts";
import { readEtcd, readNodes, readObjects } from "../measure/clusterState.ts";
import { eventually } from "../measure/eventually.ts";
import { kubectl } from "../measure/inside.ts";
import { pulumi } from "../measure/pulumi.ts";
import { runPulumi } from "../measure/pulumiRun.ts";
import { endedSince, runningSince } from "../measure/runningSince.ts";
import { acceptHostKey, sayGone } from "../measure/serverList.ts";
import { up } from "../measure/up.ts";
import { brokenPromises } from "../rehearsal.ts";
import { machineOf } from "../topology.ts";
import { watched } from "./costs.ts";
import {
  expectRefusal,
  initial,
  keepLogsOfFailures,
  missingOf,
  servers,
  shell,
  topology,
} from "./support.ts";
import { beginWithThree, untilThree } from "./threeServers.ts";

const [, second = "", third = ""] = servers;
const two = { voters: 2, learners: 0 };
const three = { voters: 3, learners: 0 };
const quiet = (): undefined => undefined;

/** The old machine's disk is lost: the same name and address, nothing on it, another host key. */
async function replace(name: string): Promise<void> {
  await rebuild(topology, machineOf(topology, name));
}

describe("a burned-down initial server is replaced", function () {
  this.timeout("15m");
  keepLogsOfFailures();
  let objects: string[];

  before(async () => {
    await beginWithThree();
    objects = await readObjects(topology);
    await fault(topology, "power-off", initial);
  });

  it("what is off is worth a warning while the list stays as it is", async () => {
    const { exitCode, output } = await pulumi(topology, "gone-unsaid", ["preview"]);
    assert.equal(exitCode, 0, output);
    assert.match(output, new RegExp(`\\b${initial.name}\\b`));
  });

  it("its member and Node go by an up that is told it is gone, and the others run on", async () => {
    sayGone(topology, initial.name, true);
    const before = await runningSince(topology);
    const { result: run, noticed } = await watched("gone", `${initial.name} is gone`, () =>
      runPulumi(topology, "gone", "pulumi up"),
    );
    assert.equal(run.exitCode, 0, run.output);
    assert.deepEqual(endedSince(before, await runningSince(topology)), []);
    for (const name of [second, third]) assert.deepEqual(await readEtcd(topology, name), two);
    const left = ["get", "node", initial.name, "--ignore-not-found", "-o=name"];
    assert.equal(await kubectl(topology, left), "");
    const secret = ["get", "secret", `${initial.name}.node-password.k3s`, "--ignore-not-found"];
    assert.equal(await kubectl(topology, [...secret, "--namespace=kube-system"]), "");
    assert.deepEqual(noticed, []);
  });

  it("a second up changes nothing", async () => {
    assert.deepEqual((await up(topology, "gone-second-up", quiet)).slice(1), []);
  });

  it("a machine in its place is refused until its host key is accepted", async () => {
    await replace(initial.name);
    sayGone(topology, initial.name, false);
    await expectRefusal(/host key/i, new RegExp(`\\b${initial.name}\\b`));
  });

  it("and joins when it is: three voters, and nothing is lost", async () => {
    await acceptHostKey(topology, initial.name);
    const { result: run, noticed } = await watched(
      "replaced",
      `another ${initial.name} joined`,
      () => runPulumi(topology, "replaced", "pulumi up"),
    );
    assert.equal(run.exitCode, 0, run.output);
    await untilThree();
    assert.deepEqual(await missingOf(objects), []);
    assert.deepEqual((await up(topology, "replaced-second-up", quiet)).slice(1), []);
    assert.deepEqual(noticed, []);
  });
});

describe("a replaced dead server", function () {
  this.timeout("15m");
  keepLogsOfFailures();

  before(beginWithThree);

  it("joins although its predecessor was a member", async () => {
    await fault(topology, "power-off", machineOf(topology, third));
    await replace(third);
    // Pods are sent to what is dead until that is noticed: no cost of what follows.
    await eventually(90, async () => {
      const node = (await readNodes(topology)).find(({ name }) => name === third);
      return node?.ready === true ? `${third} is Ready` : undefined;
    });
    assert.deepEqual(await readEtcd(topology, second), three);
    await acceptHostKey(topology, third);
    const { result: run, noticed } = await watched("successor", `another ${third} joined`, () =>
      runPulumi(topology, "successor", "pulumi up"),
    );
    assert.equal(run.exitCode, 0, run.output);
    await untilThree();
    assert.deepEqual(await readEtcd(topology, second), three);
    assert.deepEqual(noticed, []);
  });
});

describe("a server that was gone and comes back to life", function () {
  this.timeout("15m");
  keepLogsOfFailures();
  const revived = machineOf(topology, second);
  /** Longer than it takes to boot and to try to be a server again. */
  const watchedMs = 60_000;

  before(async () => {
    await beginWithThree();
    await fault(topology, "power-off", revived);
    sayGone(topology, second, true);
    await up(topology, "revived-gone", quiet);
  });

  it("does no harm: voters, writes and the endpoint are the others'", async () => {
    const { noticed } = await watched("revived", `${second} came back to life`, async () => {
      await fault(topology, "power-on", revived);
      await sleep(watchedMs);
    });
    for (const name of [initial.name, third]) assert.deepEqual(await readEtcd(topology, name), two);
    const { stdout } = await exec(second, ["ip", "-oneline", "address"]);
    assert.ok(!stdout.includes(` ${topology.endpoint.address}/`), `${second} holds the endpoint`);
    assert.deepEqual(noticed, []);
  });

  it("and the next up says that it lives", async () => {
    const { output } = await pulumi(topology, "revived-up", ["up", "--yes", "--skip-preview"]);
    assert.match(output, new RegExp(`${second}: it is said to be gone, but it answers`));
  });

  it("and it joins again once its disk is empty", async () => {
    await fault(topology, "power-off", revived);
    await replace(second);
    await acceptHostKey(topology, second);
    sayGone(topology, second, false);
    await up(topology, "revived-joins", quiet);
    await untilThree();
    await eventually(60, async () => {
      const broken = await brokenPromises(topology, quiet);
      return broken.length === 0 ? undefined : broken.join("; ");
    });
    await shell(second, "test -e /var/lib/triad");
  });
});
