import { figures } from "./figures.ts";
import type { Figures, Window } from "./figures.ts";
import type { Measured } from "./measurement.ts";
import type { Step } from "./steps.ts";

/** What the API's users felt of something: attempts outside and inside the cluster, and writes. */
export interface Cost {
  readonly name: string;
  readonly tookMs: number;
  readonly outside: Figures;
  readonly inCluster: Figures;
  readonly writes: Figures;
  /** Acknowledged writes that were lost in the whole measurement. */
  readonly lost: number;
}

/** How long the same work took: retrofit, joins, all prepared beforehand. */
export interface Comparison {
  readonly byHandMs: number;
  readonly triadMs: number;
  readonly ratio: number;
}

/** How long the API was away, seen from outside, ms: for the same change by hand and by Triad, and for a bare restart. */
export interface Gaps {
  readonly restart: number;
  readonly byHand: number;
  readonly triad: number;
}

/** What `make bench` found: out/lab/bench.json. */
export interface Bench {
  readonly stack: string;
  /** The same change without Triad, and the least that a disruption can cost: a bare restart. */
  readonly byHand: {
    readonly floor: Cost;
    readonly steps: readonly Cost[];
    readonly tookMs: number;
  };
  readonly steps: readonly Cost[];
  readonly oneToThree: Comparison;
  /** Of what makes other servers possible: the conversion of k3s, the retrofit of kubeadm. */
  readonly gaps: Gaps;
  readonly broken: readonly string[];
  readonly losses: readonly Cost[];
  readonly idle: {
    readonly upMs: readonly number[];
    readonly upWithPreviewMs: readonly number[];
    readonly previewMs: readonly number[];
  };
  readonly memoryMiB: Readonly<Record<string, number>>;
}

/** Picks what belongs to one stretch out of a measurement. */
export function costOf(name: string, measured: Measured, window: Window): Cost {
  const { whole, outside, inCluster, writes, lost } = measured;
  return {
    name,
    tookMs: window.endMs - window.startMs,
    outside: figures(outside, whole, window),
    inCluster: figures(inCluster, whole, window),
    writes: figures(writes, whole, window),
    lost: lost.length,
  };
}

/** What makes other servers possible: by hand the first thing done, by Triad the last step of this kind. */
export function gapsOf(restart: Cost, byHand: readonly Cost[], steps: readonly Cost[]): Gaps {
  const typed = byHand.find(({ name }) => /: (conversion|retrofit)$/.test(name));
  const done = steps.findLast(({ name }) => name.endsWith(madePossible));
  if (typed === undefined || done === undefined) throw new Error("no conversion was measured");
  return {
    restart: restart.outside.longestGapMs,
    byHand: typed.outside.longestGapMs,
    triad: done.outside.longestGapMs,
  };
}

/** The name of the step by which a cluster is converted or retrofitted; before, it may only have been looked at. */
const madePossible = "-control-plane";

/**
 * Compares what both do: by hand the whole; of Triad's steps the one that retrofits or converts, and the stretch from
 * the first join's start to the last one's end. Its moves of clients and its checks have no counterpart by hand.
 */
export function compare(byHandMs: number, steps: readonly Step[]): Comparison {
  const first = steps.findLast(({ name }) => name.endsWith(madePossible));
  const grown = steps.find(({ name }) => name === "grow");
  const joins = steps.filter(
    ({ name, startMs }) => name.endsWith("-membership") && startMs >= (grown?.startMs ?? 0),
  );
  const joinsMs =
    Math.max(...joins.map(({ endMs }) => endMs)) - Math.min(...joins.map(({ startMs }) => startMs));
  const triadMs = (first ? first.endMs - first.startMs : 0) + joinsMs;
  return { byHandMs, triadMs, ratio: Math.round((triadMs / byHandMs) * 100) / 100 };
}
