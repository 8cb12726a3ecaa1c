import Table from "cli-table3";
import type { Bench, Cost } from "./bench.ts";
import type { Figures } from "./figures.ts";
import { inSeconds } from "./phases.ts";

/** Prints the tables of `make bench`. */
export function printBench(bench: Bench): void {
  const { byHand, steps, oneToThree, gaps, losses, idle, memoryMiB } = bench;
  const total = Object.values(memoryMiB).reduce((sum, one) => sum + one, 0);
  const median = (times: readonly number[]): string =>
    inSeconds(times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0);
  const sections = [
    ["the floor, and one → three by hand", costs([byHand.floor, ...byHand.steps])],
    ["one → three by pulumi up", costs(steps)],
    [
      "conversion or retrofit, and joins",
      `${inSeconds(oneToThree.triadMs)} by Triad, ${inSeconds(oneToThree.byHandMs)} by hand: ${String(oneToThree.ratio)} ×`,
    ],
    [
      "the API away, by the conversion or the retrofit",
      `${String(gaps.triad)} ms by Triad, ${String(gaps.byHand)} ms by hand, ${String(gaps.restart)} ms by a bare restart`,
    ],
    ["loss of power", costs(losses)],
    [
      "idle, median of three",
      `pulumi up ${median(idle.upMs)}, with its preview ${median(idle.upWithPreviewMs)}, pulumi preview ${median(idle.previewMs)}`,
    ],
    [
      `memory of the lab: ${String(total)} MiB`,
      Object.entries(memoryMiB)
        .map(([name, mib]) => `${name} ${String(mib)}`)
        .join(", "),
    ],
  ];
  for (const [title, text] of sections) console.log(`\n${title ?? ""}\n${text ?? ""}`);
}

function costs(rows: readonly Cost[]): string {
  const table = new Table({
    head: ["", "took", "outside: failed, gap", "in the cluster", "writes", "lost"],
    colAligns: ["left", "right", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  const cell = ({ total, failed, longestGapMs }: Figures): string =>
    `${String(failed)}/${String(total)}, ${String(longestGapMs)} ms`;
  for (const { name, tookMs, outside, inCluster, writes, lost } of rows) {
    table.push([name, inSeconds(tookMs), cell(outside), cell(inCluster), cell(writes), lost]);
  }
  return table.toString();
}
