import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { outFolder } from "../measure/pulumi.ts";

/** What became of one case. */
const resultSchema = z.object({
  distribution: z.enum(["k3s", "kubeadm"]),
  step: z.string(),
  fault: z.string(),
  /** What the interrupted run left. */
  stateFound: z.string(),
  /** The commands that were given afterwards. */
  healedBy: z.string(),
  /** How long these took. */
  seconds: z.number(),
  writesLost: z.number(),
  voters: z.number(),
  converged: z.boolean(),
  /** What was not as it had to be. */
  problem: z.string().optional(),
  /** The whole case with its restored state, in seconds. */
  caseSeconds: z.number(),
  /** Names the program that was interrupted. */
  program: z.string(),
});

/** @see {@link resultSchema} */
export type Result = z.infer<typeof resultSchema>;

/** Where results are kept; a run that is cut short goes on from there. */
export const resultsFile = join(outFolder, "crash-matrix.json");

/** All results so far, of both distributions. */
export function readResults(file = resultsFile): Result[] {
  try {
    return z.array(resultSchema).parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Adds one result in place of an earlier one of the same case; the file is whole at any moment. */
export function keepResult(result: Result, file = resultsFile): void {
  const others = readResults(file).filter((one) => !isSameCase(one, result));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify([...others, result], undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** What says which case a result is of. */
export type CaseKey = Pick<Result, "distribution" | "step" | "fault">;

export function isSameCase(one: CaseKey, other: CaseKey): boolean {
  return (
    one.distribution === other.distribution && one.step === other.step && one.fault === other.fault
  );
}

/** Whether a case has converged with this very program: then it need not run again. */
export function isDone(results: readonly Result[], key: CaseKey, program: string): boolean {
  return results.some((one) => isSameCase(one, key) && one.converged && one.program === program);
}
