import { glob } from "node:fs/promises";

import { repositoryFolder } from "../toolchain/paths.ts";
import type { Part } from "./parts.ts";
import { mochaPart } from "./parts.ts";

/** The lab's specs that `make test` runs; `make test-all` runs every one. */
const sample = ["badMachines", "growing", "secondUp", "secrets", "powerLoss", "emptyState"];

/** How long one sentence of a spec may take that names no limit of its own, in ms. */
const limit = 15 * 60_000;

/**
 * The lab's specs, in the order of their names, since each takes the lab as the one before left it.
 * @param which `sample` or `all`.
 * @throws Error when a spec of the sample is missing.
 */
export async function specsPart(which: string): Promise<Part> {
  const files: string[] = [];
  for await (const file of glob("lab/specs/*.spec.ts", { cwd: repositoryFolder })) files.push(file);
  const chosen = which === "all" ? files : sample.map((name) => findSpec(files, name));
  return mochaPart("lab", true, "--timeout", `${limit}`, "--exit", ...chosen.sort());
}

function findSpec(files: readonly string[], name: string): string {
  const found = files.find((file) => new RegExp(`/(\\d+-)?${name}\\.spec\\.ts$`).test(file));
  if (found === undefined) throw new Error(`no spec ${name} in lab/specs`);
  return found;
}
