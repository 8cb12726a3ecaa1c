import type { Sample } from "./sample.ts";

/** A stretch of time in Unix milliseconds. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/** What a probe saw: `failed` of `total` attempts, and the longest time without a good answer. */
export interface Figures {
  readonly total: number;
  readonly failed: number;
  readonly longestGapMs: number;
}

/**
 * Sums up the attempts under way in `window`, by default the `whole` measurement.
 *
 * A gap runs from the end of a good answer to the end of the next, or to the measurement's end; the first
 * runs from its start. So the least possible figure is about the probe's interval. A gap that only begins or
 * ends in the window is counted in full: an outage is never cut in two by a step's border.
 */
export function figures(samples: readonly Sample[], whole: Window, window = whole): Figures {
  const during = samples.filter((sample) => overlap(sample, window));
  const answers = samples.filter((sample) => sample.ok).map((sample) => sample.endMs);
  const borders = [whole.startMs, ...answers, whole.endMs];
  const gaps = borders
    .slice(1)
    .map((endMs, index) => ({ startMs: borders[index] ?? endMs, endMs }))
    .filter((gap) => overlap(gap, window));
  return {
    total: during.length,
    failed: during.filter((sample) => !sample.ok).length,
    longestGapMs: Math.round(Math.max(0, ...gaps.map((gap) => gap.endMs - gap.startMs))),
  };
}

function overlap(one: Window, other: Window): boolean {
  return one.startMs <= other.endMs && one.endMs >= other.startMs;
}
