import { glob } from "node:fs/promises";

import { repositoryFolder } from "../toolchain/paths.ts";
import type { Part } from "./parts.ts";
import { mochaPart, programPart } from "./parts.ts";

const cache = "node_modules/.cache";

/** The checks of `make check`; the longest first, since they run beside each other. */
export async function fastParts(): Promise<readonly Part[]> {
  const scripts = await shellScripts();
  return [
    mochaPart("tests", false, "--parallel", "--jobs", "2", "tests/**/*.test.ts"),
    programPart(
      "lint",
      "eslint",
      ...["--cache", "--cache-location", `${cache}/eslint/`, "--max-warnings", "0", "."],
    ),
    programPart(
      "types",
      "tsc",
      ...["--noEmit", "--incremental", "--tsBuildInfoFile", `${cache}/tsc.json`],
    ),
    programPart("format", "prettier", ...["--check", "--cache", "--log-level", "warn", "."]),
    programPart("config reference", "node", "tools/configReference.ts", "--check"),
    programPart("shell scripts", "shellcheck", "--external-sources", ...scripts),
  ];
}

async function shellScripts(): Promise<readonly string[]> {
  const patterns = ["scripts/**/*.sh", "lab/**/*.sh", "tools/plugins/bin/*", "lab/ctl", ".ci/run"];
  const found: string[] = [];
  const options = {
    cwd: repositoryFolder,
    exclude: (name: string): boolean => name.includes("node_modules"),
  };
  for await (const file of glob(patterns, options)) found.push(file);
  return found.sort();
}
