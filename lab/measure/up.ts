import { join } from "node:path";
import type { Topology } from "../topology.ts";
import { outFolder } from "./pulumi.ts";
import { runPulumi } from "./pulumiRun.ts";
import type { Step } from "./steps.ts";

/**
 * Runs `pulumi up` and times it: the first step is the whole of it, called `name`; the others are its resources.
 * What it says goes to out/lab/NAME.log; `tell` hears of each step as it ends.
 * @throws with Pulumi's errors when it fails
 */
export async function up(
  topology: Topology,
  name: string,
  tell: (line: string) => void,
): Promise<Step[]> {
  const { exitCode, steps, errors } = await runPulumi(topology, name, "pulumi up", tell);
  if (exitCode !== 0) {
    const said = errors || `it ended with ${String(exitCode)}`;
    const file = join(outFolder, `${name}.log`);
    throw new Error(`pulumi up (${name}) failed:\n${said}\nAll it said: ${file}`);
  }
  return [...steps];
}
