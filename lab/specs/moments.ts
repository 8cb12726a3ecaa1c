import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fault } from "../machines/machine.ts";
import { diskOf } from "../machines/mounts.ts";
import { pulumi } from "../measure/pulumi.ts";
import type { LabMachine } from "../topology.ts";
import { topology } from "./support.ts";

/** How often it is looked whether a moment has come: some last a fraction of a second. */
const lookEveryMs = 5;

/** Whether there is a file or folder on a machine, seen on its disk: that takes no time, and a machine that is off has one. */
export function isOnDisk({ name }: LabMachine, path: string): boolean {
  return existsSync(join(diskOf(name).root, path));
}

/** The text of a file on a machine's disk, empty if there is none. */
export function onDisk(machine: LabMachine, path: string): string {
  if (!isOnDisk(machine, path)) return "";
  return readFileSync(join(diskOf(machine.name).root, path), "utf8");
}

/**
 * Runs `pulumi up`, takes the power from a machine in the moment that `isDue` says so, and gives it back when the run
 * has ended: it has to fail. Gives all that it printed.
 */
export async function cutPowerDuringUp(
  name: string,
  machine: LabMachine,
  isDue: () => boolean,
): Promise<string> {
  const over = new AbortController();
  const running = pulumi(topology, name, ["up", "--yes", "--skip-preview"]).finally(() =>
    over.abort(),
  );
  while (!isDue()) {
    if (over.signal.aborted)
      assert.fail(`the moment to take the power never came: ${(await running).output}`);
    await sleep(lookEveryMs);
  }
  await fault(topology, "power-off", machine);
  const { exitCode, output } = await running;
  await fault(topology, "power-on", machine);
  assert.notEqual(exitCode, 0, output);
  return output;
}
