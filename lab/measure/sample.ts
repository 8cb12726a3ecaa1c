import { appendFileSync, readFileSync } from "node:fs";
import { z } from "zod";

/**
 * One attempt to reach the API, or to write through it. `startMs` and `endMs` are Unix milliseconds;
 * `target` says where it went; a write also remembers what it wrote.
 */
export const sampleSchema = z.strictObject({
  startMs: z.number(),
  endMs: z.number(),
  ok: z.boolean(),
  target: z.string(),
  problem: z.string().optional(),
  name: z.string().optional(),
  value: z.string().optional(),
});

/** @see {@link sampleSchema} */
export type Sample = z.infer<typeof sampleSchema>;

/** Appends one sample to a file of JSON lines, at once, so that a crash loses nothing. */
export function appendSample(file: string, sample: Sample): void {
  appendFileSync(file, `${JSON.stringify(sample)}\n`);
}

/**
 * Reads a file of JSON lines. A last line without its end, left by a killed process, is not a sample.
 * @throws when any other line is not one: a sample is never dropped in silence.
 */
export function readSamples(file: string): Sample[] {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => sampleSchema.parse(JSON.parse(line)));
}
