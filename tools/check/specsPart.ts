import { glob } from "node:fs/promises";
import { basename } from "node:path";

import { repositoryFolder } from "../toolchain/paths.ts";
import type { Part } from "./parts.ts";
import { mochaPart } from "./parts.ts";

/** A home that is rehearsed. */
interface Home {
  readonly stack: string;
  readonly distribution: string;
  /**
   * The lab's specs that `make test` runs, by what is between number and ending of their files; `make test-all` runs
   * every one. What both homes would show alike is shown by one.
   */
  readonly sample: readonly string[];
  /** Whether specs that are written for every home fit it. Default true. */
  readonly takesShared?: boolean;
}

const homes: readonly Home[] = [
  {
    stack: "lab-kubeadm",
    distribution: "kubeadm",
    sample: ["badMachines", "growing", "secondUp", "secrets", "emptyState", "powerLoss", "crashes"],
  },
  {
    stack: "lab-k3s",
    distribution: "k3s",
    sample: ["growing", "secondUp", "secrets", "powerLoss", "crashes", "leaving"],
  },
  // Their servers are not there when a spec begins, which the others expect.
  { stack: "lab-proxmox", distribution: "proxmox", sample: [], takesShared: false },
  { stack: "lab-external", distribution: "external", sample: [], takesShared: false },
];

/** How long one sentence of a spec may take that names no limit of its own, in ms. */
const limit = 15 * 60_000;

/**
 * A file of specs: `<number>-<name>.spec.ts` for every home, `<number>-<name>.<distribution>.spec.ts` for one; machines on
 * Proxmox count as a distribution here, and so does the balancer of somebody else before them.
 */
interface Spec {
  readonly file: string;
  readonly name: string;
  readonly distribution: string | undefined;
}

/**
 * The lab's specs for each home in turn, in the order of their numbers, since each takes the lab as the one before
 * left it.
 * @param which `sample` or `all`.
 * @throws Error when a spec of the sample is missing.
 */
export async function specsParts(which: string): Promise<readonly Part[]> {
  const specs: Spec[] = [];
  for await (const file of glob("lab/specs/*.spec.ts", { cwd: repositoryFolder })) {
    const [, name = "", distribution] =
      /^\d+-(\w+)(?:\.(\w+))?\.spec\.ts$/.exec(basename(file)) ?? [];
    specs.push({ file, name, distribution });
  }
  return homes.flatMap(({ stack, distribution, sample, takesShared = true }) => {
    const shared = takesShared ? distribution : undefined;
    const own = specs.filter((spec) => (spec.distribution ?? shared) === distribution);
    const missing = sample.find((name) => !own.some((spec) => spec.name === name));
    if (missing !== undefined)
      throw new Error(`no spec ${missing} of ${distribution} in lab/specs`);
    const files = own
      .filter(({ name }) => which === "all" || sample.includes(name))
      .map(({ file }) => file)
      .sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
    if (files.length === 0) return [];
    const options = ["--timeout", `${limit}`, "--exit"];
    return [mochaPart(stack, { live: true, env: { STACK: stack } }, ...options, ...files)];
  });
}
