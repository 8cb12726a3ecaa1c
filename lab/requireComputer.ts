import { readFile, statfs } from "node:fs/promises";
import { labPackages } from "../tools/toolchain/aptPackages.ts";
import { findProgram } from "../tools/toolchain/programs.ts";

/**
 * Says at once, and all together, what this computer lacks to run the lab.
 * @throws Error with the list.
 */
export async function requireComputer(): Promise<void> {
  const lacks: string[] = [];
  if (process.platform !== "linux" || process.arch !== "x64") lacks.push("Linux on x86-64");
  if (process.getuid?.() !== 0) lacks.push("root (the lab makes mounts and network namespaces)");
  const systems = await readFile("/proc/filesystems", "utf8").catch(() => "");
  if (!/\boverlay\b/.test(systems)) lacks.push("the overlay file system (try: modprobe overlay)");
  const memory = /^MemAvailable:\s+(\d+) kB/m.exec(await readFile("/proc/meminfo", "utf8"))?.[1];
  if (Number(memory) < 6_000_000) lacks.push("6 GB of free memory");
  const disk = await statfs("/");
  if (disk.bavail * disk.bsize < 15e9) lacks.push("15 GB of free disk");
  for (const { program, package: name } of labPackages) {
    if (findProgram(program) === undefined) lacks.push(`${program} (apt-get install ${name})`);
  }
  if (lacks.length > 0) throw new Error(`the lab needs what is missing here: ${lacks.join("; ")}`);
}
