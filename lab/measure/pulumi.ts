import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../machines/shell.ts";
import { projectFolder } from "../paths.ts";
import type { Topology } from "../topology.ts";
import { inside } from "./inside.ts";
import { operatorEnvironment } from "../operatorEnvironment.ts";

/** Where what a run leaves is put. */
export const outFolder = join(projectFolder, "out", "lab");

/** How a command of Pulumi ended; `output` is all that it printed. */
export interface PulumiResult {
  readonly exitCode: number;
  readonly output: string;
}

/**
 * Runs a command of Pulumi in the project folder, as the operator would by hand; `env` is added to the operator's
 * environment. What it prints is kept in out/lab/NAME.log.
 */
export async function pulumi(
  topology: Topology,
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<PulumiResult> {
  const argv = inside(topology, ["pulumi", ...args, "--non-interactive"]);
  const operator = await operatorEnvironment(topology);
  const result = await run(argv, { cwd: projectFolder, env: { ...operator, ...env } });
  const output = result.stdout + result.stderr;
  mkdirSync(outFolder, { recursive: true });
  writeFileSync(join(outFolder, `${name}.log`), output);
  return { exitCode: result.exitCode, output };
}
