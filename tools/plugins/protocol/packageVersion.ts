import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { z } from "zod";

/** The installed version of an npm package, which for a Pulumi SDK is its plugin's version too. */
export function packageVersion(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(path, "utf8"))).version;
}
