import { rm } from "node:fs/promises";
import { statePaths } from "../paths.ts";
import type { LabMachine, Topology } from "../topology.ts";
import { ensureImage } from "./image.ts";
import { mintHostKey } from "./keys.ts";
import { fault, startMachine, untilUp } from "./machine.ts";
import { diskOf } from "./mounts.ts";
import { must } from "./shell.ts";

/**
 * Takes a machine's power and disk away and installs it anew: the same name and address, an empty disk, another host
 * key.
 */
export async function rebuild(topology: Topology, machine: LabMachine): Promise<void> {
  await fault(topology, "power-off", machine);
  await must(["umount", diskOf(machine.name).root]);
  await rm(statePaths.machine(machine.name), { recursive: true });
  await mintHostKey(machine.name);
  await startMachine(topology, machine, [await ensureImage()]);
  await untilUp(topology, machine);
}
