import { figures } from "./figures.ts";
import type { Figures, Window } from "./figures.ts";
import type { Measured } from "./measurement.ts";

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

/** What `make bench` found: out/lab/bench.json. */
export interface Bench {
  readonly stack: string;
  /** The same change without Triad, and the least that a disruption can cost: a bare restart. */
  readonly byHand: { readonly floor: Cost; readonly steps: readonly Cost[] };
  readonly steps: readonly Cost[];
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
