import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { copyContainerdData } from "../before/containerdData.ts";
import { isFrozen, setFrozen, untilStill } from "../machines/cgroups.ts";
import { isAlive } from "../machines/container.ts";
import { diskOf, labMounts, mountDisk } from "../machines/mounts.ts";
import { must, run } from "../machines/shell.ts";
import { statePaths } from "../paths.ts";
import { lowerLayersOf } from "../savedState/lowerLayersOf.ts";

/** Gives a machine a disk of its own on the layers of its template, the topmost first; what is left of an earlier one goes. */
export async function cloneDisk(machine: string, layers: readonly string[]): Promise<void> {
  await removeDisk(machine);
  await mountDisk(machine, layers);
}

/** Removes a machine's disk, with all that was kept of it. The machine must be off. */
export async function removeDisk(machine: string): Promise<void> {
  await unmount(machine);
  await rm(statePaths.machine(machine), { recursive: true, force: true });
}

/** Keeps a disk as it is now, as a loss of power would leave it: a machine that runs stands still meanwhile. */
export async function saveDisk(machine: string, name: string): Promise<void> {
  const kept = keptDisk(machine, name);
  await rm(kept.folder, { recursive: true, force: true });
  await mkdir(kept.folder, { recursive: true });
  const { upper, containerd } = diskOf(machine);
  const runs = (await isAlive(machine)) && !(await isFrozen(machine));
  try {
    if (runs) await setFrozen(machine, true);
    await untilStill(machine);
    await must(["cp", "-a", upper, kept.upper]);
    await copyContainerdData(containerd, kept.containerd);
  } finally {
    if (runs) await setFrozen(machine, false);
  }
}

/** Makes a disk what it was when it was kept. The machine must be off. */
export async function restoreDisk(machine: string, name: string): Promise<void> {
  const kept = keptDisk(machine, name);
  const { upper, containerd } = diskOf(machine);
  const layers = await lowerLayersOf(machine);
  await unmount(machine);
  // The folder `work` belongs to the upper layer that it was made for.
  for (const folder of [upper, containerd, join(statePaths.machine(machine), "work")]) {
    await rm(folder, { recursive: true, force: true });
  }
  await must(["cp", "-a", kept.upper, upper]);
  await copyContainerdData(kept.containerd, containerd);
  await mountDisk(machine, layers);
}

/** @see {@link saveDisk} */
export async function forgetDisk(machine: string, name: string): Promise<void> {
  await rm(keptDisk(machine, name).folder, { recursive: true, force: true });
}

function keptDisk(
  machine: string,
  name: string,
): { folder: string; upper: string; containerd: string } {
  const folder = join(statePaths.machine(machine), "kept", name);
  return { folder, upper: join(folder, "upper"), containerd: join(folder, "containerd") };
}

async function unmount(machine: string): Promise<void> {
  const { root } = diskOf(machine);
  if (!(await labMounts()).includes(root)) return;
  // What was killed a moment ago may hold it for another one.
  const { exitCode } = await run(["umount", root]);
  if (exitCode !== 0) await must(["umount", "--lazy", root]);
}
