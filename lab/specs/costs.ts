import { figures, type Window } from "../measure/figures.ts";
import { Measurement, type Measured } from "../measure/measurement.ts";
import { inSeconds } from "../measure/phases.ts";
import { samplesFolder } from "../rehearsal.ts";
import { topology } from "./support.ts";

/** Something that was done while a writer and the probes ran. */
export interface Watched<Result> {
  readonly result: Result;
  /** What the API's users would have noticed, in words; nothing when they hardly did. */
  readonly noticed: readonly string[];
}

/**
 * Lets a writer and the probes run while something is done that the API's users must hardly notice: no acknowledged write
 * is lost, and of a hundred attempts at most one fails. Prints what they saw.
 * @param folder where its samples go, beside those of the rehearsal
 */
export async function watched<Result>(
  folder: string,
  what: string,
  act: () => Promise<Result>,
): Promise<Watched<Result>> {
  const measurement = await Measurement.start(topology, `${samplesFolder}-${folder}`);
  const startMs = Date.now();
  let measured: Measured;
  let result: Result;
  try {
    result = await act();
  } finally {
    measured = await measurement.stop();
  }
  return { result, noticed: judge(what, measured, { startMs, endMs: measured.whole.endMs }) };
}

function judge(what: string, measured: Measured, window: Window): string[] {
  const { whole, lost } = measured;
  const seen = {
    outside: figures(measured.outside, whole, window),
    "in the cluster": figures(measured.inCluster, whole, window),
    writes: figures(measured.writes, whole, window),
  };
  const told = Object.entries(seen).map(([where, { total, failed, longestGapMs }]) => ({
    isBad: failed > total / 100,
    line: `${where} ${String(failed)} of ${String(total)} failed, longest gap ${String(longestGapMs)} ms`,
  }));
  const lines = told.map(({ line }) => line).join("; ");
  const took = inSeconds(window.endMs - window.startMs);
  console.log(`      ${what}, ${took}: ${lines}; ${String(lost.length)} writes lost`);
  return [
    ...lost.map((name) => `the write ${name} is lost`),
    ...told.filter(({ isBad }) => isBad).map(({ line }) => line),
  ];
}
