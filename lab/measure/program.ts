import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectFolder, statePaths } from "../paths.ts";
import { initialServerOf, type Topology } from "../topology.ts";
import { inside } from "./inside.ts";

/** A program of this folder that measures until it is told to stop. */
export interface Program {
  /** Its samples, as JSON lines. */
  readonly file: string;
  /** @throws when it ended before, or badly */
  readonly stop: () => Promise<void>;
}

/** Starts one inside the lab's network namespace, and returns when it has made its first attempt. */
export async function startProgram(
  topology: Topology,
  program: "probe" | "writer" | "census",
  folder: string,
): Promise<Program> {
  const file = join(folder, `${program}.jsonl`);
  const { endpoint } = topology;
  const options = {
    kubeconfig: statePaths.kubeconfig,
    server: `${initialServerOf(topology).address}:6443`,
    endpoint: `${endpoint.address}:${String(endpoint.port)}`,
    out: file,
  };
  const [command = "", ...args] = inside(topology, [
    process.execPath,
    join(projectFolder, "lab", "measure", `${program}.ts`),
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
  ]);
  const child = spawn(command, args, { stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(child, "exit");
  await untilWritten(file);
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await ended;
    if (child.exitCode !== 0)
      throw new Error(`the ${program} did not last to the end; what it saw: ${file}`);
  };
  return { file, stop };
}

async function untilWritten(file: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) {
    if (Date.now() > deadline)
      throw new Error(`nothing was measured within 60 s: ${file} is empty`);
    await sleep(50);
  }
}
