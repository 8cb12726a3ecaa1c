import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { exec } from "../machines/machine.ts";
import { machineLogs } from "../machineLogs.ts";
import { readObjects } from "../measure/clusterState.ts";
import { outFolder, pulumi } from "../measure/pulumi.ts";
import { runningSince } from "../measure/runningSince.ts";
import { chosenTopology, initialServerOf, machinesWith } from "../topology.ts";

/** The lab that the specs are about. */
export const topology = chosenTopology();

/** Whether the home is on k3s. */
export const isK3s = topology.distribution.name === "k3s";

/** Its servers by name, in the order of the list. */
export const servers = machinesWith(topology, "server").map(({ name }) => name);

/** The one that was the only server before Triad. */
export const initial = initialServerOf(topology);

/**
 * Runs a script as root on a machine, and gives what it printed.
 * @throws when it fails
 */
export async function shell(machine: string, script: string): Promise<string> {
  const { stdout, stderr, exitCode } = await exec(machine, ["bash", "-euc", script]);
  assert.equal(exitCode, 0, `${machine}: ${script}: ${stdout}${stderr}`);
  return stdout;
}

/** Looks that preview and up both refuse, saying all of this, and that nothing starts or ends on any machine. */
export async function expectRefusal(...says: readonly RegExp[]): Promise<void> {
  const before = await runningSince(topology);
  await expectRefused(...says);
  assert.deepEqual(await runningSince(topology), before);
}

/** Looks that preview and up both refuse, saying all of this, where servers start and end by themselves. */
export async function expectRefused(...says: readonly RegExp[]): Promise<void> {
  for (const args of [["preview"], ["up", "--yes", "--skip-preview"]]) {
    const { exitCode, output } = await pulumi(topology, `refused-${args[0] ?? ""}`, args);
    assert.notEqual(exitCode, 0, output);
    for (const what of says) assert.match(output, what);
  }
}

/**
 * Those of the objects that were there and are there no more. Pods come and go with machines, Leases with who holds them;
 * ReplicaSets and EndpointSlices are made anew with a rollout and with a Service that moves.
 */
export async function missingOf(objects: readonly string[]): Promise<string[]> {
  const now = new Set(await readObjects(topology));
  return objects.filter(
    (object) => !now.has(object) && !/^(Pod|Lease|ReplicaSet|EndpointSlice) /.test(object),
  );
}

/** Waits until nothing has started or ended on any machine for 5 s: after a boot, pods come back one by one. */
export async function untilSettled(): Promise<void> {
  let before = await runningSince(topology);
  for (let look = 0; look < 24; look += 1) {
    await sleep(5_000);
    const now = await runningSince(topology);
    if (isDeepStrictEqual(now, before)) return;
    before = now;
  }
  throw new Error("after two minutes something still starts or ends on the machines");
}

/** After a failed test, keeps what every machine says. */
export function keepLogsOfFailures(): void {
  afterEach(async function () {
    if (this.currentTest?.state !== "failed") return;
    const folder = join(outFolder, "logs", this.currentTest.fullTitle().replaceAll(/\W+/g, "-"));
    await rm(folder, { recursive: true, force: true });
    await machineLogs(topology, folder);
    console.error(`      what the machines say: ${folder}`);
  });
}
