import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";

import { toolchainEnvironment } from "./environment.ts";
import { readManifest, toolchainFolder } from "./manifest.ts";
import { repositoryFolder } from "./paths.ts";
import { versions } from "./versions.ts";

/**
 * Makes a folder fit to be a PULUMI_HOME of its own (a lab's, a test's): the toolchain's plugins
 * are installed there, so that the engine takes them in their versions and has nothing to remark.
 * @returns the environment for programs that run Pulumi with that home.
 * @throws Error when the toolchain has not been set up.
 */
export async function preparePulumiHome(folder: string): Promise<Record<string, string>> {
  const environment = toolchainEnvironment();
  for (const name of ["command", "random", "proxmoxve"] as const) {
    const version = versions[name];
    const from = readManifest()?.[`pulumi plugin ${name}`]?.from;
    // Only for tests and labs is every plugin there.
    if (from === undefined) continue;
    const home = from === "stand-in" ? join(repositoryFolder, "tools/plugins") : toolchainFolder;
    const program = `pulumi-resource-${name}`;
    const target = join(folder, "plugins", `resource-${name}-v${version}`);
    await rm(target, { recursive: true, force: true });
    await mkdir(target, { recursive: true });
    await symlink(join(home, "bin", program), join(target, program));
  }
  return { ...environment, PULUMI_HOME: folder, PULUMI_IGNORE_AMBIENT_PLUGINS: "true" };
}
