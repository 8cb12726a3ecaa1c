import Table from "cli-table3";
import { inSeconds } from "../measure/phases.ts";
import type { Step } from "../measure/steps.ts";

/** What the bench of machines found: out/lab/bench-proxmox.json. Times are milliseconds, those of steps since the first began. */
export interface ProxmoxBench {
  readonly stack: string;
  /** From no machine to a cluster with three servers, by step. */
  readonly fromNothing: { readonly tookMs: number; readonly steps: readonly Step[] };
  /** Machines alone, three more at each run. */
  readonly fleet: readonly {
    readonly machines: number;
    readonly tookMs: number;
    readonly steps: readonly Step[];
  }[];
  /** All of them again. */
  readonly destroyMs: number;
}

/** From the begin of the first to the end of the last, in milliseconds. */
export function tookMs(steps: readonly Step[]): number {
  const begin = Math.min(...steps.map(({ startMs }) => startMs));
  return Math.max(...steps.map(({ endMs }) => endMs)) - begin;
}

/** What a machine goes through, by the ending of its steps' names. */
const parts = { seed: "its seed", vm: "clone, settings, start", booted: "boot, cloud-init" };

/** The longest of each part, which is what is waited for. */
export function longestOf(steps: readonly Step[], part: keyof typeof parts): number {
  const own = steps.filter(({ name }) => name.endsWith(`-${part}`));
  return Math.max(0, ...own.map(({ startMs, endMs }) => endMs - startMs));
}

/** Prints the tables. */
export function printProxmoxBench(bench: ProxmoxBench): void {
  console.log(proxmoxBenchText(bench));
}

/** @see {@link printProxmoxBench} */
export function proxmoxBenchText({ fromNothing, fleet, destroyMs }: ProxmoxBench): string {
  const style = { head: [], border: [], compact: true };
  const steps = new Table({ head: ["step", "from", "took"], style });
  for (const { name, startMs, endMs } of fromNothing.steps) {
    steps.push([name, inSeconds(startMs), inSeconds(endMs - startMs)]);
  }
  const columns = Object.entries(parts).map(([, title]) => `longest: ${title}`);
  const growth = new Table({ head: ["machines", "the run", ...columns], style });
  for (const { machines, tookMs: run, steps: own } of fleet) {
    growth.push([
      machines,
      inSeconds(run),
      inSeconds(longestOf(own, "seed")),
      inSeconds(longestOf(own, "vm")),
      inSeconds(longestOf(own, "booted")),
    ]);
  }
  return [
    `from nothing to three servers: ${inSeconds(fromNothing.tookMs)}`,
    steps.toString(),
    "machines alone, three more at each run",
    growth.toString(),
    `all of them destroyed: ${inSeconds(destroyMs)}`,
  ].join("\n");
}
