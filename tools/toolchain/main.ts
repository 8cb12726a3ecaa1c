/**
 * Sets up what the project runs beside npm packages: `node tools/toolchain/main.ts [--check] [--lab]`. With `--check`
 * and `--lab` also the plugin and the packages that the checks and the lab need on this computer; some of them are
 * servers, which somebody who only uses the program does not want.
 */
import { Listr } from "listr2";

import { checkPackages, labPackages } from "./aptPackages.ts";
import { ensureAptPackages } from "./ensureAptPackages.ts";
import { getTool, isToolchainReady, writeToolchain } from "./ensureToolchain.ts";
import { toolchainFolder } from "./manifest.ts";
import { findProgram } from "./programs.ts";
import type { Found, Tool } from "./tools.ts";
import { testTools, tools } from "./tools.ts";
import { withLock } from "./withLock.ts";

const [check, lab] = ["--check", "--lab"].map((flag) => process.argv.includes(flag));
const wanted = check || lab ? [...tools, ...testTools] : tools;
const packages = [...(check ? checkPackages : []), ...(lab ? labPackages : [])];
const ready = (): boolean =>
  isToolchainReady(wanted) && packages.every(({ program }) => findProgram(program) !== undefined);

if (!ready()) {
  await withLock(toolchainFolder, async () => {
    if (!ready()) await setUp();
  });
}

async function setUp(): Promise<void> {
  const found = new Map<Tool, Found>();
  await new Listr([
    {
      title: "programs of this computer",
      task: async (_context, task) => {
        const installed = await ensureAptPackages(packages, (line) => (task.output = line));
        task.title += installed.length === 0 ? ": all there" : `: installed ${installed.join(" ")}`;
      },
    },
    ...wanted.map((tool) => ({
      title: `${tool.name} ${tool.version}`,
      task: async (_context: unknown, task: { title: string; output: string }) => {
        const result = await getTool(tool, (line) => (task.output = line));
        found.set(tool, result);
        task.title += `: ${result.from}`;
      },
    })),
  ]).run();
  await writeToolchain(found);
}
