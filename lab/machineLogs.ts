import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { diskOf } from "./machines/mounts.ts";
import { run } from "./machines/shell.ts";
import { statePaths } from "./paths.ts";
import type { Topology } from "./topology.ts";

/**
 * Copies what all machines have written down into a folder, a folder each: the journal, the pods'
 * logs, the console, what cloud-init did. Reads the disks, so it also works for machines that are off.
 */
export async function machineLogs(topology: Topology, folder: string): Promise<void> {
  await Promise.all(
    topology.machines.map(async ({ name }) => {
      const { root, containerd } = diskOf(name);
      const target = join(folder, name);
      await mkdir(target, { recursive: true });
      const journal = join(root, "var", "log", "journal");
      const read = [
        "journalctl",
        `--directory=${journal}`,
        "--no-pager",
        "--output=short-iso-precise",
      ];
      await writeFile(join(target, "journal.log"), (await run(read)).stdout);
      const pods = join(root, "var", "log", "pods");
      if (existsSync(pods)) await cp(pods, join(target, "pods"), { recursive: true });
      const runtime = join(containerd, "containerd.log");
      if (existsSync(runtime)) await copyFile(runtime, join(target, "containerd.log"));
      for (const file of ["cloud-init.log", "cloud-init-output.log"]) {
        const from = join(root, "var", "log", file);
        if (existsSync(from)) await copyFile(from, join(target, file));
      }
      const console = join(statePaths.machine(name), "console.log");
      if (existsSync(console)) await copyFile(console, join(target, "console.log"));
    }),
  );
  const { log } = statePaths.proxmox;
  if (existsSync(log)) await copyFile(log, join(folder, "proxmox.log"));
}
