import type { Sample } from "./sample.ts";

/**
 * Reads the prober's lines, `START_MS DURATION_MS ok|fail STATUS`. A last one without its end is not read.
 * @throws when a line is none of them
 */
export function parseProber(text: string): Sample[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [, start, duration, word, status] = /^(\d+) (\d+) (ok|fail) (\d+)$/.exec(line) ?? [];
      if (start === undefined) throw new Error(`not a line of the prober: ${line}`);
      const startMs = Number(start);
      const ok = word === "ok";
      const sample = { startMs, endMs: startMs + Number(duration), ok, target: "kubernetes" };
      return ok ? sample : { ...sample, problem: `status ${status}` };
    });
}
