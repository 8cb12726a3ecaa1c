/** `make bench`: what the change costs, and what a loss of power does, as out/lab/bench.json and as tables. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { upBeforeState } from "./lab.ts";
import { growByHand } from "./byHand/growByHand.ts";
import { printBench } from "./measure/benchSummary.ts";
import type { Bench, Cost } from "./measure/bench.ts";
import { compare, costOf } from "./measure/bench.ts";
import { restartApiServer } from "./measure/floor.ts";
import { readMemory } from "./measure/memory.ts";
import { Measurement } from "./measure/measurement.ts";
import { Phases } from "./measure/phases.ts";
import { losePower } from "./measure/powerLoss.ts";
import { outFolder, pulumi } from "./measure/pulumi.ts";
import { findHolder, findLeader } from "./measure/roles.ts";
import { rehearse, samplesFolder } from "./rehearsal.ts";
import { topologyOf } from "./topology.ts";

const topology = topologyOf(process.env["STACK"] ?? "lab-kubeadm");
const servers = topology.machines.filter(({ role }) => role === "server").map(({ name }) => name);
const phases = new Phases();

const byHand = await phases.run("by hand: the floor, and one → three", async (tell) => {
  await upBeforeState(topology);
  const measurement = await Measurement.start(topology, `${samplesFolder}-by-hand`);
  const restart = await restartApiServer(topology, servers[0] ?? "");
  const steps = await growByHand(topology, tell);
  const measured = await measurement.stop();
  return {
    floor: costOf("restart of the only API server", measured, restart),
    steps: steps.map((step) => costOf(step.name, measured, step)),
    tookMs: Math.max(...steps.map(({ startMs, endMs }) => endMs - startMs)),
  };
});

const rehearsal = await rehearse(topology);
const steps = rehearsal.steps.map((step) => costOf(step.name, rehearsal.measured, step));

const losses = await phases.run("power losses", async (tell) => {
  const costs: Cost[] = [];
  for (const [what, find] of Object.entries({
    "holder of the endpoint": () => findHolder(topology),
    "follower of etcd": async () => {
      const leader = await findLeader(servers);
      return servers.find((server) => server !== leader) ?? "";
    },
    "leader of etcd": () => findLeader(servers),
  })) {
    const measurement = await Measurement.start(topology, `${samplesFolder}-power-loss`);
    const machine = await find();
    const away = await losePower(topology, machine);
    costs.push(costOf(`${what} (${machine})`, await measurement.stop(), away));
    tell(`${what}: ${machine}`);
  }
  return costs;
});

const idle = await phases.run("five idle ups and five previews", async () => ({
  upMs: await fiveTimes("idle-up", ["up", "--yes", "--skip-preview"]),
  upWithPreviewMs: await fiveTimes("idle-up-with-preview", ["up", "--yes"]),
  previewMs: await fiveTimes("idle-preview", ["preview"]),
}));

const bench: Bench = {
  stack: topology.stack,
  byHand,
  steps,
  oneToThree: compare(byHand.tookMs, rehearsal.steps),
  broken: rehearsal.broken,
  losses,
  idle,
  memoryMiB: await readMemory(topology),
};
writeFileSync(join(outFolder, "bench.json"), `${JSON.stringify(bench, undefined, 2)}\n`);
printBench(bench);
process.exit(rehearsal.broken.length === 0 ? 0 : 1);

async function fiveTimes(name: string, args: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  while (times.length < 5) {
    const startMs = Date.now();
    const { exitCode, output } = await pulumi(topology, name, args);
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${output}`);
    times.push(Date.now() - startMs);
  }
  return times;
}
