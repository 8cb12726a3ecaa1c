import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

import { cacheFolder } from "./paths.ts";
import { versions } from "./versions.ts";

const manifestSchema = z.record(
  z.string(),
  z.object({
    version: z.string(),
    from: z.enum(["computer", "download", "Go modules", "stand-in"]),
    /** Names of the programs in the toolchain's bin folder; stand-ins stay in the clone. */
    programs: z.array(z.string()),
  }),
);

/** What a set-up toolchain consists of, by tool. */
export type Manifest = z.infer<typeof manifestSchema>;

/** The folder of the toolchain for the pinned versions; `bin` in it goes on PATH. */
export const toolchainFolder = join(
  cacheFolder,
  "toolchain",
  createHash("sha256")
    .update(JSON.stringify([versions, process.platform, process.arch]))
    .digest("hex")
    .slice(0, 16),
);

/** The manifest of the toolchain that is set up, or undefined when none is. */
export function readManifest(): Manifest | undefined {
  try {
    const text = readFileSync(join(toolchainFolder, "manifest.json"), "utf8");
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
