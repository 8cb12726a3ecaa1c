import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { machineLogs } from "../machineLogs.ts";
import { eventually } from "../measure/eventually.ts";
import { kubectl } from "../measure/inside.ts";
import { startProgram, type Program } from "../measure/program.ts";
import { outFolder } from "../measure/pulumi.ts";
import { readSamples } from "../measure/sample.ts";
import { listServers } from "../measure/serverList.ts";
import { lostWrites, writerNamespace } from "../measure/writes.ts";
import type { States } from "../savedState/states.ts";
import type { Topology } from "../topology.ts";
import { type CrashCase, stepOf } from "./cases.ts";
import { leftToChange, missingToConverged } from "./convergence.ts";
import { EngineRun } from "./engineRun.ts";
import { heal, interruptedArgs } from "./commands.ts";
import { members } from "./members.ts";
import type { Result } from "./results.ts";
import { stateFound } from "./stateFound.ts";

/** How often it is looked whether a moment has come: some last a fraction of a second. */
const lookEveryMs = 5;

/** How long an interrupted run may take to find that out, ms: its longest waits are for a join. */
const patienceMs = 12 * 60_000;

/** What a case runs on. */
export interface Stage {
  readonly topology: Topology;
  readonly states: States;
  /** @see programHash */
  readonly program: string;
}

/** What goes on from one step of a case to the next. */
interface Course {
  stateFound: string;
  readonly healedBy: string[];
  healedInMs: number;
  writesLost: number;
}

/** Where everything lies that was seen during a case. */
export function folderOf(topology: Topology, one: CrashCase): string {
  const name = `${one.way} ${stepOf(one)} ${one.fault.what(topology)}`;
  const slug = name.replaceAll(/\W+/g, "-");
  return join(outFolder, "crash-matrix", topology.distribution.name, slug);
}

/** Runs one case from its saved state to its verdict. It never throws: what goes wrong is its result. */
export async function runCase(stage: Stage, one: CrashCase): Promise<Result> {
  const { topology } = stage;
  const startMs = Date.now();
  const course: Course = { stateFound: "", healedBy: [], healedInMs: 0, writesLost: 0 };
  const folder = folderOf(topology, one);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const problem = await play(stage, one, folder, course).then(() => undefined, messageOf);
  const voters = (await members(topology).catch(() => undefined))?.voters.length ?? 0;
  if (problem !== undefined) {
    await machineLogs(topology, join(folder, "machines")).catch(() => undefined);
  }
  return {
    distribution: topology.distribution.name,
    step: stepOf(one),
    fault: one.fault.what(topology),
    stateFound: course.stateFound,
    healedBy: course.healedBy.join(", then "),
    seconds: Math.round(course.healedInMs / 1000),
    writesLost: course.writesLost,
    voters,
    converged: problem === undefined,
    ...(problem === undefined ? {} : { problem }),
    caseSeconds: Math.round((Date.now() - startMs) / 1000),
    program: stage.program,
  };
}

/** @throws Error with what was not as it had to be */
async function play(
  { topology, states }: Stage,
  one: CrashCase,
  folder: string,
  course: Course,
): Promise<void> {
  await states.restore(one.from);
  one.moment.prepare?.(topology);
  const writer = await startProgram(topology, "writer", folder);
  const problem = await interruptAndHeal({ topology, states }, one, folder, course).then(
    () => undefined,
    messageOf,
  );
  // Also after a failure, since the two would be one matter.
  const unknown = await lost(topology, writer).then((count) => {
    course.writesLost = count;
    return count === 0 ? undefined : `${String(count)} acknowledged writes are lost`;
  }, messageOf);
  const problems = [problem, unknown].filter((text) => text !== undefined);
  if (problems.length > 0) throw new Error(problems.join("; "));
}

/** @throws Error as {@link play} */
async function interruptAndHeal(
  { topology, states }: Pick<Stage, "topology" | "states">,
  one: CrashCase,
  folder: string,
  course: Course,
): Promise<void> {
  await interrupt(topology, states, one, folder);
  course.stateFound = await stateFound(topology);
  await one.fault.repair?.(topology);
  const startMs = Date.now();
  await heal(topology, states, one.way, folder, course.healedBy).finally(() => {
    course.healedInMs = Date.now() - startMs;
  });
  await eventually(90, () => missingToConverged(topology));
  const left = await leftToChange(topology, "crash-matrix/preview");
  if (left !== undefined) throw new Error(left);
}

/** Runs what is to be interrupted, and lets the fault strike in its moment; returns when both are over. */
async function interrupt(
  topology: Topology,
  states: States,
  { way, moment, fault }: CrashCase,
  folder: string,
): Promise<void> {
  listServers(topology, states.serversOf(way === "list of two" ? 2 : 3));
  const args = interruptedArgs(topology, way);
  const run = await EngineRun.start(topology, args, join(folder, "interrupted.log"));
  const scene = { topology, run };
  const isDue = moment.watch(scene);
  const over = new AbortController();
  void run.ended.then(() => over.abort());
  while (!(await isDue())) {
    if (over.signal.aborted)
      throw new Error(`the moment never came: ${run.errors || "the run ended well"}`);
    await sleep(lookEveryMs);
  }
  await fault.strike(scene);
  try {
    await Promise.race([run.ended, sleep(fault.lastsMs, undefined, { ref: false })]);
  } finally {
    await fault.lift(topology);
  }
  await run.within(patienceMs);
}

async function lost(topology: Topology, writer: Program): Promise<number> {
  await writer.stop();
  const list = ["get", "configmaps", `--namespace=${writerNamespace}`, "-o=json"];
  return lostWrites(readSamples(writer.file), await kubectl(topology, list)).length;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
