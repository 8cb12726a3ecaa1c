/**
 * `make bench`: what the change costs, and what a loss of power does, as out/lab/bench.json and as tables; with
 * STACK=lab-proxmox what creating machines costs, as out/lab/bench-proxmox.json.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { upBeforeState } from "./lab.ts";
import { growByHand } from "./byHand/growByHand.ts";
import { printBench } from "./measure/benchSummary.ts";
import type { Bench } from "./measure/bench.ts";
import { compare, costOf, gapsOf } from "./measure/bench.ts";
import { restartApiServer } from "./measure/floor.ts";
import { readMemory } from "./measure/memory.ts";
import { Measurement } from "./measure/measurement.ts";
import { Phases } from "./measure/phases.ts";
import { measureLosses } from "./measure/losses.ts";
import { outFolder, pulumi } from "./measure/pulumi.ts";
import { editStack } from "./measure/serverList.ts";
import { up } from "./measure/up.ts";
import { benchProxmox } from "./proxmox/bench.ts";
import { rehearse, samplesFolder } from "./rehearsal.ts";
import { chosenTopology } from "./topology.ts";

const topology = chosenTopology();
const phases = new Phases();
if (topology.proxmox !== undefined) {
  // There creating machines is what costs; the rest is as on kubeadm.
  await benchProxmox(phases);
  process.exit(0);
}

const byHand = await phases.run("by hand: the floor, and one → three", async (tell) => {
  await upBeforeState(topology);
  const measurement = await Measurement.start(topology, `${samplesFolder}-by-hand`);
  const restart = await restartApiServer(topology);
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
  const samples = `${samplesFolder}-power-loss`;
  const found = await measureLosses(topology, samples, "", tell);
  const { quickEtcd } = topology.distribution;
  if (quickEtcd === undefined) return found;
  // Every server is restarted for it, one after the other.
  const measurement = await Measurement.start(topology, samples);
  editStack(topology, ["triad:etcd"], { extraArgs: quickEtcd });
  const [rollOut] = await up(topology, "quick-etcd", tell);
  const measured = await measurement.stop();
  const cost = rollOut && costOf("quick etcd on every server", measured, rollOut);
  // Only who leads is elected at that pace.
  const quick = await measureLosses(topology, samples, ", quick etcd", tell, /leader/);
  return [...found, ...(cost ? [cost] : []), ...quick];
});

const idle = await phases.run("three idle ups and three previews", async () => ({
  upMs: await threeTimes("idle-up", ["up", "--yes", "--skip-preview"]),
  upWithPreviewMs: await threeTimes("idle-up-with-preview", ["up", "--yes"]),
  previewMs: await threeTimes("idle-preview", ["preview"]),
}));

const bench: Bench = {
  stack: topology.stack,
  byHand,
  steps,
  oneToThree: compare(byHand.tookMs, rehearsal.steps),
  gaps: gapsOf(byHand.floor, byHand.steps, steps),
  broken: rehearsal.broken,
  losses,
  idle,
  memoryMiB: await readMemory(topology),
};
writeFileSync(join(outFolder, "bench.json"), `${JSON.stringify(bench, undefined, 2)}\n`);
printBench(bench);
process.exit(rehearsal.broken.length === 0 ? 0 : 1);

async function threeTimes(name: string, args: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  while (times.length < 3) {
    const startMs = Date.now();
    const { exitCode, output } = await pulumi(topology, name, args);
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${output}`);
    times.push(Date.now() - startMs);
  }
  return times;
}
