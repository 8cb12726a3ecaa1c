import { mkdir, readFile, readdir, rmdir, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const mountPoint = "/sys/fs/cgroup";
const labGroup = "triad-lab";

/** One hierarchy of the computer: one for each controller with version 1, one in all with 2. */
interface Hierarchy {
  readonly mount: string;
  /** The group in it that this process belongs to. */
  readonly own: string;
  readonly controller: string;
}

/** Whether the computer has cgroup version 2 only. */
export const isUnified = existsSync(join(mountPoint, "cgroup.controllers"));

async function hierarchies(): Promise<Hierarchy[]> {
  const lines = (await readFile("/proc/self/cgroup", "utf8")).trim().split("\n");
  const found: Hierarchy[] = [];
  for (const line of lines) {
    const [, controllers = "", own = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const controller = controllers.replace(/^name=/, "");
    const mount = controller === "" ? unifiedMount() : join(mountPoint, controller);
    // What runs as part of a lab starts its machines beside itself, not inside itself.
    const base = own.replace(new RegExp(`/${labGroup}(/.*)?$`), "") || "/";
    if (existsSync(mount)) found.push({ mount, own: base, controller });
  }
  return found;
}

function unifiedMount(): string {
  return isUnified ? mountPoint : join(mountPoint, "unified");
}

/** What a machine may have of the computer's. */
export interface Share {
  readonly memoryBytes: number;
  /** Processors' worth of time. */
  readonly cpus: number;
}

const periodUs = 100_000;

/** The files that hold the limits, of which each version and each hierarchy has some. */
const limitFiles = {
  "memory.limit_in_bytes": ({ memoryBytes }: Share) => String(memoryBytes),
  "memory.max": ({ memoryBytes }: Share) => String(memoryBytes),
  "cpu.cfs_quota_us": ({ cpus }: Share) => String(cpus * periodUs),
  "cpu.max": ({ cpus }: Share) => `${String(cpus * periodUs)} ${String(periodUs)}`,
} as const;

/** Limits a machine whose groups were just made: its processes run out of memory as on a computer with no more. */
export async function limitGroups(folders: readonly string[], share: Share): Promise<void> {
  for (const folder of folders) {
    for (const [name, value] of Object.entries(limitFiles)) {
      const file = join(folder, name);
      if (existsSync(file)) await writeFile(file, value(share));
    }
  }
}

/** Reads the limits of a machine that is on; one that was given none has other numbers than any that is given. */
export async function limitsOf(machine: string): Promise<Share> {
  return await limitsIn(await groupsOf(machine));
}

/** Reads in a machine's groups what {@link limitGroups} wrote. */
export async function limitsIn(folders: readonly string[]): Promise<Share> {
  const read = async (...names: readonly string[]): Promise<string> => {
    for (const file of folders.flatMap((folder) => names.map((name) => join(folder, name)))) {
      const text = await readFile(file, "utf8").catch(() => undefined);
      if (text !== undefined) return text.trim();
    }
    return "";
  };
  const [quota = ""] = (await read("cpu.cfs_quota_us", "cpu.max")).split(" ");
  return {
    memoryBytes: Number(await read("memory.limit_in_bytes", "memory.max")),
    cpus: Number(quota) / periodUs,
  };
}

/** The folders of a machine's groups, made if need be: one for each hierarchy. */
export async function makeGroups(machine: string): Promise<string[]> {
  const folders: string[] = [];
  for (const { mount, own, controller } of await hierarchies()) {
    const lab = join(mount, own, labGroup);
    const folder = join(lab, machine);
    await mkdir(folder, { recursive: true });
    if (controller === "cpuset") for (const group of [lab, folder]) await copyCpuset(mount, group);
    if (isUnified) for (const group of [join(mount, own), lab]) await delegateControllers(group);
    folders.push(folder);
  }
  return folders;
}

/** A new group has no processors and no memory nodes with version 1, and may then hold no process. */
async function copyCpuset(mount: string, group: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    await writeFile(join(group, file), await readFile(join(mount, file), "utf8"));
  }
}

async function delegateControllers(group: string): Promise<void> {
  const controllers = (await readFile(join(group, "cgroup.controllers"), "utf8")).trim().split(" ");
  for (const controller of controllers) {
    // A group that holds processes itself can't delegate; the machine then has one controller less.
    await writeFile(join(group, "cgroup.subtree_control"), `+${controller}`).catch(() => undefined);
  }
}

/** Every group of any lab of ours, also of a run that was killed elsewhere in the tree. */
export async function findGroups(): Promise<string[]> {
  const found: string[] = [];
  const look = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (!entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      if (entry.name === labGroup) found.push(path);
      else if (depth > 0) await look(path, depth - 1);
    }
  };
  await look(mountPoint, 5);
  return found;
}

/** The groups of one machine in every hierarchy. */
export async function groupsOf(machine: string): Promise<string[]> {
  const groups = await findGroups();
  return groups.map((group) => join(group, machine)).filter((folder) => existsSync(folder));
}

/** The process numbers in a group and in all below it. */
export async function processesIn(group: string): Promise<number[]> {
  const own = await readFile(join(group, "cgroup.procs"), "utf8").catch(() => "");
  const numbers = own
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
  for (const entry of await readdir(group, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) numbers.push(...(await processesIn(join(group, entry.name))));
  }
  return numbers;
}

/** Removes a group and all below it; processes must be gone. */
export async function removeGroup(group: string): Promise<void> {
  for (const entry of await readdir(group, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeGroup(join(group, entry.name));
  }
  await rmdir(group).catch(() => undefined);
}

/** Stops or lets run everything in a machine, as when a computer is suspended. */
export async function setFrozen(machine: string, frozen: boolean): Promise<void> {
  for (const group of await groupsOf(machine)) {
    if (existsSync(join(group, "freezer.state"))) {
      await writeFile(join(group, "freezer.state"), frozen ? "FROZEN" : "THAWED");
    } else if (isUnified) {
      await writeFile(join(group, "cgroup.freeze"), frozen ? "1" : "0");
    }
  }
}

/**
 * Waits until nothing in a machine that was stopped so moves any more: a process may still be in the kernel.
 * @throws Error when that takes longer than 10 s
 */
export async function untilStill(machine: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (const group of await groupsOf(machine)) {
    while (await isMoving(group)) {
      if (Date.now() > deadline) throw new Error(`${machine} does not stand still`);
      await sleep(10);
    }
  }
}

async function isMoving(group: string): Promise<boolean> {
  const file = isUnified ? "cgroup.events" : "freezer.state";
  const text = await readFile(join(group, file), "utf8").catch(() => "");
  return /^(frozen 0|FREEZING)$/m.test(text);
}

/** Whether `setFrozen` stopped the machine. */
export async function isFrozen(machine: string): Promise<boolean> {
  for (const group of await groupsOf(machine)) {
    const file = isUnified ? "cgroup.freeze" : "freezer.state";
    const state = (await readFile(join(group, file), "utf8").catch(() => "")).trim();
    if (state === "1" || state === "FROZEN" || state === "FREEZING") return true;
  }
  return false;
}
