import { link, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Manifest } from "./manifest.ts";
import { readManifest, toolchainFolder } from "./manifest.ts";
import { isExecutable } from "./programs.ts";
import type { Found, Tool } from "./tools.ts";

/** Is everything there, in the pinned versions? */
export function isToolchainReady(tools: readonly Tool[]): boolean {
  const manifest = readManifest();
  return tools.every((tool) => {
    const entry = manifest?.[tool.name];
    return (
      entry?.version === tool.version &&
      entry.programs.every((program) => isExecutable(join(toolchainFolder, "bin", program)))
    );
  });
}

/**
 * Gets one tool by the first of its ways that works.
 * @throws Error with the reason of every way when none does.
 */
export async function getTool(tool: Tool, say: (line: string) => void): Promise<Found> {
  const reasons: string[] = [];
  for (const way of tool.ways) {
    const found = await way(say);
    if (typeof found !== "string") return found;
    reasons.push(found);
    say(found);
  }
  throw new Error(`${tool.name} ${tool.version}: ${reasons.join("; ")}`);
}

/** Puts links to the tools' programs and the manifest in place, all at once. */
export async function writeToolchain(found: ReadonlyMap<Tool, Found>): Promise<void> {
  const fresh = `${toolchainFolder}.fresh`;
  const manifest: Manifest = {};
  await rm(fresh, { recursive: true, force: true });
  await mkdir(join(fresh, "bin"), { recursive: true });
  for (const [tool, { from, programs }] of found) {
    const linked = from === "stand-in" ? {} : programs;
    for (const [program, path] of Object.entries(linked)) {
      await place(path, join(fresh, "bin", program), from);
    }
    manifest[tool.name] = { version: tool.version, from, programs: Object.keys(linked) };
  }
  await writeFile(join(fresh, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await rm(toolchainFolder, { recursive: true, force: true });
  await rename(fresh, toolchainFolder);
}

/**
 * Our own programs are linked hard, so that the engine finds the language host beside itself; the
 * computer's are linked by name, so that one that was removed is noticed.
 */
async function place(path: string, target: string, from: Found["from"]): Promise<void> {
  if (from === "computer") await symlink(path, target);
  else await link(path, target).catch(() => symlink(path, target));
}
