import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { statePaths } from "../paths.ts";
import { must, run } from "./shell.ts";

const source = "triad-lab";

/** The folders of a machine's disk. */
export interface Disk {
  /** The whole file system, as the machine sees it. */
  readonly root: string;
  /** Only what this machine has written. */
  readonly upper: string;
  /** containerd's data: overlay file systems can't be stacked, so it lies on the computer's own disk. */
  readonly containerd: string;
}

/** Where the disk of a machine lies. */
export function diskOf(machine: string): Disk {
  const folder = statePaths.machine(machine);
  return {
    root: join(folder, "root"),
    upper: join(folder, "upper"),
    containerd: join(folder, "containerd"),
  };
}

/** Puts a machine's disk together from layers, the topmost first, and what it writes itself. */
export async function mountDisk(machine: string, layers: readonly string[]): Promise<Disk> {
  const disk = diskOf(machine);
  const work = join(statePaths.machine(machine), "work");
  for (const folder of [disk.root, disk.upper, disk.containerd, work]) {
    await mkdir(folder, { recursive: true });
  }
  // redirect_dir: a folder from a lower layer can be renamed, as on any disk.
  const options = [
    `lowerdir=${layers.join(":")}`,
    `upperdir=${disk.upper}`,
    `workdir=${work}`,
    "redirect_dir=on,index=off,metacopy=off,xino=off",
  ];
  await must(["mount", "-t", "overlay", source, "-o", options.join(","), disk.root]);
  return disk;
}

/** All mount points of any lab of ours, the deepest first. */
export async function labMounts(): Promise<string[]> {
  const table = await readFile("/proc/self/mounts", "utf8");
  const points = table
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([from]) => from === source)
    .map(([, point = ""]) => point);
  return points.sort().reverse();
}

/** Takes the disks of all machines apart. */
export async function unmountAll(): Promise<void> {
  for (const point of await labMounts()) {
    const { exitCode } = await run(["umount", point]);
    if (exitCode !== 0) await run(["umount", "--lazy", point]);
  }
}
