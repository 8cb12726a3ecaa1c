import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { apply, mustExec, recipe } from "../before/byHand.ts";
import { writeKubeconfig } from "../kubeconfig.ts";
import { upWithoutCluster } from "../lab.ts";
import { eventually } from "../measure/eventually.ts";
import type { Phases } from "../measure/phases.ts";
import { outFolder } from "../measure/pulumi.ts";
import { listServers } from "../measure/serverList.ts";
import type { Step } from "../measure/steps.ts";
import { up } from "../measure/up.ts";
import { missingToWhole } from "../measure/whole.ts";
import { initialServerOf, machinesWith, topologyOf, type Topology } from "../topology.ts";
import { printProxmoxBench, tookMs, type ProxmoxBench } from "./benchSummary.ts";
import { FleetStack } from "./fleetStack.ts";

/** How many machines there are after each run of the fleet. */
const counts = [3, 6, 9, 12];

/**
 * Measures what creating machines costs: machines alone, three more at a time, and from nothing to a cluster with three
 * servers. Writes out/lab/bench-proxmox.json, prints tables, and leaves the lab up.
 */
export async function benchProxmox(phases: Phases): Promise<void> {
  const topology = topologyOf("lab-proxmox-new");
  await phases.run("a home with Proxmox, without a cluster", () => upWithoutCluster(topology));
  const stack = await FleetStack.create(topology);
  const fleet: ProxmoxBench["fleet"][number][] = [];
  for (const machines of counts) {
    const steps = await phases.run(`machines alone: ${String(machines)}`, () => stack.up(machines));
    fleet.push({ machines, tookMs: tookMs(steps), steps: relative(steps) });
  }
  const gone = await phases.run("and none again", () => stack.destroy());
  const steps = await phases.run("from nothing to three servers", (tell) =>
    fromNothing(topology, tell),
  );
  const bench: ProxmoxBench = {
    stack: topology.stack,
    fromNothing: { tookMs: tookMs(steps), steps: relative(steps) },
    fleet,
    destroyMs: tookMs(gone),
  };
  const file = join(outFolder, "bench-proxmox.json");
  writeFileSync(file, `${JSON.stringify(bench, undefined, 2)}\n`);
  printProxmoxBench(bench);
}

/** The network plugin is not Triad's: it is installed by hand once there is a server, before the list grows. */
async function fromNothing(topology: Topology, tell: (line: string) => void): Promise<Step[]> {
  const server = initialServerOf(topology);
  const servers = machinesWith(topology, "server").map(({ name }) => name);
  const first = await up(topology, "nothing-to-one", tell);
  const startMs = Date.now();
  await apply(topology, server, await recipe("kubeadm/flannel.yaml", topology, server));
  const kubeconfig = `--kubeconfig=${topology.distribution.adminKubeconfig}`;
  const ready = ["wait", "--for=condition=Ready", `node/${server.name}`, "--timeout=180s"];
  await mustExec(server, ["kubectl", kubeconfig, ...ready]);
  const byHand = { name: "flannel, by hand", startMs, endMs: Date.now() };
  listServers(topology, servers);
  const others = await up(topology, "one-to-three", tell);
  await writeKubeconfig(topology);
  await eventually(180, () => missingToWhole(topology));
  return [...first, byHand, ...others];
}

/** Since the first began. */
function relative(steps: readonly Step[]): Step[] {
  const beginMs = Math.min(...steps.map(({ startMs }) => startMs));
  return steps.map(({ name, startMs, endMs }) => ({
    name,
    startMs: startMs - beginMs,
    endMs: endMs - beginMs,
  }));
}
