import Table from "cli-table3";
import type { Result } from "./results.ts";

/** The crash matrix as a table, and below it one line that says what came out. */
export function tableOf(results: readonly Result[]): string {
  const table = new Table({
    head: ["step", "fault", "state found", "healed by", "s", "lost", "voters", ""],
    colAligns: ["left", "left", "left", "left", "right", "right", "right", "left"],
    colWidths: [30, 26, 34, 24, 6, 6, 8, 4],
    style: { head: [], border: [], compact: false },
    wordWrap: true,
  });
  for (const one of results) {
    table.push([
      one.step,
      one.fault,
      one.stateFound,
      one.healedBy,
      one.seconds,
      one.writesLost,
      one.voters,
      one.converged ? "✔" : "✘",
    ]);
  }
  const failed = results.filter(({ converged }) => !converged);
  const lost = results.reduce((sum, { writesLost }) => sum + writesLost, 0);
  const minutes = results.reduce((sum, { caseSeconds }) => sum + caseSeconds, 0) / 60;
  return [
    table.toString(),
    ...failed.map(({ step, fault, problem }) => `✘ ${step}: ${fault}: ${problem ?? "?"}`),
    `${String(results.length - failed.length)} of ${String(results.length)} cases converged, ${String(lost)} acknowledged writes lost; they took ${minutes.toFixed(0)} min`,
  ].join("\n");
}
