import { delimiter, join } from "node:path";

import { readManifest, toolchainFolder } from "./manifest.ts";
import { cacheFolder, repositoryFolder } from "./paths.ts";

/**
 * What to add to the environment of a program that runs Pulumi: PATH with this project's Node and
 * toolchain first, and the engine's switches. Where stand-ins serve as plugins the engine must not
 * look for the real ones.
 * @throws Error when the toolchain has not been set up.
 */
export function toolchainEnvironment(): Record<string, string> {
  const manifest = readManifest();
  if (manifest === undefined) {
    throw new Error("the toolchain is not set up; run: make toolchain");
  }
  const standIns = Object.values(manifest).some((tool) => tool.from === "stand-in");
  const folders = [
    join(repositoryFolder, "node_modules/.bin"),
    join(toolchainFolder, "bin"),
    ...(standIns ? [join(repositoryFolder, "tools/plugins/bin")] : []),
  ];
  return {
    PATH: [...folders, process.env["PATH"] ?? ""].join(delimiter),
    PULUMI_SKIP_UPDATE_CHECK: "1",
    // Saves compiling the SDK at every run.
    NODE_COMPILE_CACHE: join(cacheFolder, "node"),
    ...(standIns ? { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } : {}),
  };
}
