/**
 * Runs the checks, all of them whatever fails, and says at the end how many passed and failed:
 * `node tools/check/main.ts [--specs sample|all]`. Without `--specs` only what takes less than a minute.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

import { Listr } from "listr2";

import type { Part, Result } from "./parts.ts";
import { goTestPart } from "./goTestPart.ts";
import { fastParts } from "./fastParts.ts";
import { specsParts } from "./specsPart.ts";

const { values } = parseArgs({ options: { specs: { type: "string" } } });
const results: Result[] = [];

await runBeside(await fastParts(values.specs === undefined));
if (values.specs !== undefined) {
  for (const part of await specsParts(values.specs)) {
    console.log(`\n${part.title}`);
    results.push(await part.run());
  }
  // They want programs that the lab has built by now.
  await runBeside([goTestPart("the double of k3s", "lab/k3s")]);
}

const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs parts beside each other; shows the output of those that failed, after all have ended. */
async function runBeside(parts: readonly Part[]): Promise<void> {
  const faulty: string[] = [];
  await new Listr(
    parts.map((part) => ({
      title: part.title,
      task: async (_context: unknown, task: { title: string }): Promise<void> => {
        const result = await part.run();
        results.push(result);
        if (result.passed + result.failed > 1) task.title += `: ${result.passed} passed`;
        if (result.failed === 0) return;
        faulty.push(`── ${part.title}\n${result.output}`);
        throw new Error(`${part.title}: ${result.failed} failed`);
      },
    })),
    { concurrent: availableParallelism(), exitOnError: false },
  ).run();
  for (const text of faulty) console.log(`\n${text}`);
}
