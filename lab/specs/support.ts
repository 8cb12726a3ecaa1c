import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { machineLogs } from "../machineLogs.ts";
import { outFolder } from "../measure/pulumi.ts";
import { runningSince } from "../measure/runningSince.ts";
import { topologyOf } from "../topology.ts";

/** The lab that the specs are about. */
export const topology = topologyOf(process.env["STACK"] ?? "lab-kubeadm");

/** Its servers by name, in the order of the list. */
export const servers = topology.machines
  .filter(({ role }) => role === "server")
  .map(({ name }) => name);

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
