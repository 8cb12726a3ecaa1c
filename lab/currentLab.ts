import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { run, type CommandOptions, type CommandResult } from "./machines/shell.ts";
import { statePaths } from "./paths.ts";
import { progress } from "./progress.ts";
import { topologyOf, type Topology } from "./topology.ts";

/** A lab that is up. */
export interface Lab {
  readonly topology: Topology;
  /** The folder with kubectl and the other programs of Kubernetes. */
  readonly programs: string;
}

/** `owner` is the process that set the lab up and may still be working with it. */
const labFile = z.object({ stack: z.string(), programs: z.string(), owner: z.number() });

/**
 * The lab that is up.
 * @throws Error when none is.
 */
export async function currentLab(): Promise<Lab> {
  const state = await readState();
  if (state === undefined) throw new Error("no lab is up; start one with `make lab`");
  return { topology: topologyOf(state.stack), programs: state.programs };
}

/** Runs a command where the operator of the lab sits: in its network namespace, with its resolver. */
export async function netnsExec(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { topology } = await currentLab();
  return await run(["ip", "netns", "exec", topology.namespace, ...argv], options);
}

/** Writes down which lab this process is setting up. */
export async function rememberLab({ topology, programs }: Lab): Promise<void> {
  const state: z.infer<typeof labFile> = { stack: topology.stack, programs, owner: process.pid };
  await mkdir(dirname(statePaths.lab), { recursive: true, mode: 0o700 });
  await writeFile(statePaths.lab, JSON.stringify(state));
}

/** A run of the lab that is still going on would go on in the next lab: it is ended. */
export async function endOwner(): Promise<void> {
  const owner = (await readState().catch(() => undefined))?.owner;
  if (owner === undefined || owner === process.pid || owner === process.ppid) return;
  const command = await readFile(`/proc/${String(owner)}/cmdline`, "utf8").catch(() => "");
  if (!/lab\/(ctl|run|bench|crashMatrix\/main)\.ts|mocha/.test(command)) return;
  progress(`ending the run of the lab that is still going on (process ${String(owner)})`);
  process.kill(owner, "SIGTERM");
}

async function readState(): Promise<z.infer<typeof labFile> | undefined> {
  const text = await readFile(statePaths.lab, "utf8").catch(() => undefined);
  return text === undefined ? undefined : labFile.parse(JSON.parse(text));
}
