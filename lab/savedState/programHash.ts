import { createHash } from "node:crypto";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectFolder } from "../paths.ts";

/** What decides how a cluster comes about, and what Pulumi remembers of it. */
export const programSources = [
  "acts",
  "components",
  "config",
  "index.ts",
  "observe",
  "package-lock.json",
  "plan",
  "proxmox",
  "Pulumi.yaml",
  "scripts",
  "seed",
  "ssh",
  "tools/plugins",
];

/** Says by which program a state was made, or a case was run: another one has another hash. */
export async function programHash(folder = projectFolder): Promise<string> {
  const hash = createHash("sha256");
  for (const source of programSources) await add(hash, join(folder, source), source);
  return hash.digest("hex").slice(0, 16);
}

async function add(hash: ReturnType<typeof createHash>, path: string, name: string): Promise<void> {
  if ((await lstat(path)).isDirectory()) {
    for (const entry of (await readdir(path)).sort()) {
      await add(hash, join(path, entry), `${name}/${entry}`);
    }
    return;
  }
  hash.update(`${name}\0`).update(await readFile(path));
}
