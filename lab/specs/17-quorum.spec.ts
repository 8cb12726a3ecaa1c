// Begins with three servers, and leaves three.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fault } from "../machines/machine.ts";
import { rebuild } from "../machines/rebuild.ts";
import { run } from "../machines/shell.ts";
import { readEtcd, readObjects } from "../measure/clusterState.ts";
import { eventually } from "../measure/eventually.ts";
import { inside, kubectl } from "../measure/inside.ts";
import { pulumi } from "../measure/pulumi.ts";
import { acceptHostKey, sayGone } from "../measure/serverList.ts";
import { up } from "../measure/up.ts";
import { operatorEnvironment } from "../operatorEnvironment.ts";
import { projectFolder } from "../paths.ts";
import { machineOf } from "../topology.ts";
import {
  expectRefused,
  initial,
  isK3s,
  keepLogsOfFailures,
  missingOf,
  servers,
  shell,
  topology,
} from "./support.ts";
import { beginWithThree, untilThree } from "./threeServers.ts";

const [, second = "", third = ""] = servers;
const quiet = (): undefined => undefined;
const one = { voters: 1, learners: 0 };
/** Longer than it takes to boot and to try to be a server again. */
const watchedMs = 60_000;

/** All but the survivor are lost at once. */
async function loseOthers(survivor: string): Promise<void> {
  const lost = servers.filter((name) => name !== survivor);
  await Promise.all(lost.map((name) => fault(topology, "power-off", machineOf(topology, name))));
  await eventually(60, async () => {
    const answers = await readEtcd(topology, survivor).then(
      () => true,
      () => false,
    );
    return answers ? `${survivor} has a quorum still` : undefined;
  });
}

/** As the operator types it, with the cluster's name in place of being asked for it. */
async function makeRecover(
  survivor: string,
  ...variables: readonly string[]
): Promise<{ readonly exitCode: number; readonly said: string }> {
  const settings = [`STACK=${topology.stack}`, `SERVER=${survivor}`, "YES=homelab"];
  const argv = inside(topology, ["make", "--silent", "recover", ...settings, ...variables]);
  const env = await operatorEnvironment(topology);
  const { stdout, stderr, exitCode } = await run(argv, { cwd: projectFolder, env });
  return { exitCode, said: stdout + stderr };
}

async function recovers(survivor: string, ...variables: readonly string[]): Promise<string> {
  const { exitCode, said } = await makeRecover(survivor, ...variables);
  assert.equal(exitCode, 0, said);
  assert.deepEqual(await readEtcd(topology, survivor), one);
  await kubectl(topology, ["get", "--raw=/readyz"]);
  return said;
}

/** Of the objects that were there those that are missed, but for what stands for a lost machine. */
async function missingButMachines(objects: readonly string[], survivor: string): Promise<string[]> {
  const lost = servers.filter((name) => name !== survivor);
  const missing = await missingOf(objects);
  return missing.filter((object) => !lost.some((name) => object.split(/[ .]/).includes(name)));
}

/** What the recovery says is left to do. */
async function backToThree(name: string, survivor: string): Promise<void> {
  const lost = servers.filter((server) => server !== survivor);
  for (const machine of lost) sayGone(topology, machine, true);
  await up(topology, `${name}-gone`, quiet);
  for (const machine of lost) {
    await rebuild(topology, machineOf(topology, machine));
    await acceptHostKey(topology, machine);
    sayGone(topology, machine, false);
  }
  await up(topology, `${name}-three`, quiet);
  await untilThree();
}

describe("a quorum that is lost", function () {
  this.timeout("25m");
  keepLogsOfFailures();
  let objects: string[];

  before(async () => {
    await beginWithThree();
    objects = await readObjects(topology);
  });

  it("is not what two of three servers have: nothing is recovered then", async () => {
    const { exitCode, said } = await makeRecover(initial.name);
    assert.notEqual(exitCode, 0, said);
    assert.match(said, /has a quorum/);
    await untilThree();
  });

  it("cannot be mended by an up, which says how it can", async () => {
    await loseOthers(initial.name);
    // No comparison of what runs: without a quorum a server ends and is started again.
    await expectRefused(/quorum/, new RegExp(`make recover .*SERVER=${initial.name}`));
  });

  it("is recovered from the survivor, and nothing is lost", async () => {
    const said = await recovers(initial.name);
    for (const name of [second, third]) assert.match(said, new RegExp(`\\b${name}\\b`));
    assert.deepEqual(await missingButMachines(objects, initial.name), []);
  });

  it("and a lost server that comes back to life with its old data does no harm", async () => {
    const revived = [second, third].map((name) => machineOf(topology, name));
    await Promise.all(revived.map((machine) => fault(topology, "power-on", machine)));
    await sleep(watchedMs);
    assert.deepEqual(await readEtcd(topology, initial.name), one);
    assert.deepEqual(await missingButMachines(objects, initial.name), []);
    await Promise.all(revived.map((machine) => fault(topology, "power-off", machine)));
  });

  it("and there are three voters again", async () => {
    await backToThree("recovered", initial.name);
    assert.deepEqual(await missingOf(objects), []);
  });
});

describe("a quorum that is lost with the survivor's data", function () {
  this.timeout("25m");
  keepLogsOfFailures();
  let objects: string[];
  let snapshot: string;
  const note = (name: string): string[] => ["configmap", name, "--namespace=home"];

  before(async () => {
    await beginWithThree();
    await kubectl(topology, ["create", ...note("before-the-snapshot")]);
    objects = await readObjects(topology);
    snapshot = await takeSnapshot();
    await kubectl(topology, ["create", ...note("after-the-snapshot")]);
    await loseOthers(second);
  });
  after(() => kubectl(topology, ["delete", ...note("before-the-snapshot"), "--ignore-not-found"]));

  it("is recovered from a snapshot, as it was then", async () => {
    const data = isK3s ? "/var/lib/rancher/k3s/server/db/etcd" : "/var/lib/etcd";
    await shell(second, `rm -rf ${data}/member/snap/* ${data}/member/wal/*`);
    await recovers(second, `SNAPSHOT=${snapshot}`);
    assert.deepEqual(await missingButMachines(objects, second), []);
    const after = ["get", ...note("after-the-snapshot"), "--ignore-not-found", "-o=name"];
    assert.equal(await kubectl(topology, after), "");
  });

  it("and there are three voters again", async () => {
    await backToThree("restored", second);
    assert.deepEqual(await missingOf(objects), []);
  });
});

/** On k3s its own, on the survivor; on kubeadm the operator's, in a backup that is taken anew. */
async function takeSnapshot(): Promise<string> {
  if (!isK3s) return await newBackup();
  await shell(second, "k3s etcd-snapshot save --name=before-the-loss");
  const path = await shell(second, "ls /var/lib/triad/snapshots/before-the-loss*");
  return path.trim();
}

async function newBackup(): Promise<string> {
  const args = ["up", "--yes", "--skip-preview", "--replace=**::homelab-backup"];
  const { exitCode, output } = await pulumi(topology, "backup", args);
  assert.equal(exitCode, 0, output);
  const folder = join(projectFolder, "backups");
  const [latest = ""] = readdirSync(folder).sort().toReversed();
  return join(folder, latest);
}
