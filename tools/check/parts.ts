import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";
import { z } from "zod";

import { toolchainEnvironment } from "../toolchain/environment.ts";
import { repositoryFolder } from "../toolchain/paths.ts";

/** How many things were tried and came out one way or the other. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
}

/** What one part of the checks found. */
export interface Result extends Totals {
  /** What to show when something failed. */
  readonly output: string;
}

/** One part of the checks. */
export interface Part {
  readonly title: string;
  run(): Promise<Result>;
}

const totalsFolder = join(repositoryFolder, "out/totals");

/** A program that succeeds or fails as a whole, which counts as one. */
export function programPart(title: string, program: string, ...args: readonly string[]): Part {
  return {
    title,
    async run() {
      const { failed, all } = await execa(program, args, { ...settings(), reject: false });
      return { passed: failed ? 0 : 1, failed: failed ? 1 : 0, output: all };
    },
  };
}

/** How Mocha is run. */
export interface MochaSettings {
  /** Its report is shown while it runs. */
  readonly live: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Mocha over some files; each test counts. */
export function mochaPart(
  title: string,
  { live, env = {} }: MochaSettings,
  ...args: readonly string[]
): Part {
  return {
    title,
    async run() {
      const file = join(totalsFolder, `${title.replaceAll(/\W+/g, "-")}.json`);
      await rm(file, { force: true });
      await mkdir(totalsFolder, { recursive: true });
      const reporter = join(repositoryFolder, "tools/check/totalsReporter.ts");
      const { failed, all } = await execa("mocha", ["--reporter", reporter, ...args], {
        ...settings({ ...env, TRIAD_TOTALS: file }),
        reject: false,
        ...(live ? { stdout: ["inherit", "pipe"], stderr: ["inherit", "pipe"] } : {}),
      });
      const totals = await readTotals(file);
      // Mocha itself can fail, before any test or after the last one.
      const whole = failed && totals.failed === 0 ? { ...totals, failed: 1 } : totals;
      return { ...whole, output: live ? "" : all };
    },
  };
}

async function readTotals(file: string): Promise<Totals> {
  const schema = z.object({ passed: z.number(), failed: z.number() });
  const text = await readFile(file, "utf8").catch(() => '{"passed":0,"failed":0}');
  return schema.parse(JSON.parse(text));
}

interface Settings {
  readonly all: true;
  readonly cwd: string;
  readonly env: Record<string, string>;
  readonly stdin: "ignore";
}

function settings(extra: Record<string, string> = {}): Settings {
  const colour = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
  return {
    all: true,
    cwd: repositoryFolder,
    env: { ...toolchainEnvironment(), ...colour, ...extra },
    stdin: "ignore",
  };
}
