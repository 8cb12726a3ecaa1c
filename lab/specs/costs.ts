import assert from "node:assert/strict";
import { figures, type Window } from "../measure/figures.ts";
import { Measurement, type Measured } from "../measure/measurement.ts";
import { inSeconds } from "../measure/phases.ts";
import { samplesFolder } from "../rehearsal.ts";
import { topology } from "./support.ts";

/**
 * Lets a writer and the probes run while something is done that the API's users must hardly notice: prints what they saw,
 * and looks that no acknowledged write is lost and that at most one attempt in a hundred failed.
 * @param folder where its samples go, beside those of the rehearsal
 */
export async function unnoticed<Result>(
  folder: string,
  what: string,
  act: () => Promise<Result>,
): Promise<Result> {
  const measurement = await Measurement.start(topology, `${samplesFolder}-${folder}`);
  const startMs = Date.now();
  let measured: Measured;
  let result: Result;
  try {
    result = await act();
  } finally {
    measured = await measurement.stop();
  }
  assertUnnoticed(what, measured, { startMs, endMs: measured.whole.endMs });
  return result;
}

/** @see {@link unnoticed} */
export function assertUnnoticed(what: string, measured: Measured, window: Window): void {
  const { whole, lost } = measured;
  const seen = {
    outside: figures(measured.outside, whole, window),
    "in the cluster": figures(measured.inCluster, whole, window),
    writes: figures(measured.writes, whole, window),
  };
  const told = Object.entries(seen).map(
    ([where, { total, failed, longestGapMs }]) =>
      `${where} ${String(failed)} of ${String(total)} failed, longest gap ${String(longestGapMs)} ms`,
  );
  const took = inSeconds(window.endMs - window.startMs);
  console.log(`      ${what}, ${took}: ${told.join("; ")}; ${String(lost.length)} writes lost`);
  assert.deepEqual(lost, []);
  for (const [where, { total, failed }] of Object.entries(seen))
    assert.ok(failed <= total / 100, `${where}: ${String(failed)} of ${String(total)} failed`);
}
