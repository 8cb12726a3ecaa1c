import { rm } from "node:fs/promises";
import { join } from "node:path";
import { machineLogs } from "../machineLogs.ts";
import { outFolder } from "../measure/pulumi.ts";
import { topologyOf } from "../topology.ts";

/** The lab that the specs are about. */
export const topology = topologyOf(process.env["STACK"] ?? "lab-kubeadm");

/** Its servers by name, in the order of the list. */
export const servers = topology.machines
  .filter(({ role }) => role === "server")
  .map(({ name }) => name);

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
