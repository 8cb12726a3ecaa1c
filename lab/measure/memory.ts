import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { groupsOf } from "../machines/cgroups.ts";
import type { Topology } from "../topology.ts";

/** Memory that each machine's processes hold for themselves, in MiB: what only caches files is not counted. */
export async function readMemory(topology: Topology): Promise<Record<string, number>> {
  const entries = topology.machines.map(async ({ name }) => [name, await memoryOf(name)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function memoryOf(machine: string): Promise<number> {
  for (const group of await groupsOf(machine)) {
    const file = join(group, "memory.stat");
    if (!existsSync(file)) continue;
    // cgroup version 1 counts a group alone as `rss` and with those below it as `total_rss`; 2 says `anon`.
    const bytes = /^(?:total_rss|anon) (\d+)$/m.exec(readFileSync(file, "utf8"))?.[1];
    if (bytes !== undefined) return Math.round(Number(bytes) / 2 ** 20);
  }
  throw new Error(`${machine}: no group tells its memory`);
}
