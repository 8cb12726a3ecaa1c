import Table from "cli-table3";
import { inSeconds } from "./phases.ts";
import type { Report } from "./report.ts";

/** Prints what a rehearsal cost, step by step; the last line says what came out. */
export function printSummary(report: Report, broken: readonly string[], logs: string): void {
  console.log(summary(report, broken, logs));
}

/** @see {@link printSummary} */
export function summary(report: Report, broken: readonly string[], logs: string): string {
  const table = new Table({
    head: ["step", "from", "took", "probes", "failed", "longest gap"],
    colAligns: ["left", "right", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, startMs, endMs, api } of report.steps) {
    table.push([
      name,
      inSeconds(startMs),
      inSeconds(endMs - startMs),
      api.total,
      api.failed,
      `${String(api.longestGapMs)} ms`,
    ]);
  }
  const { api, inCluster, writes, etcd, nodes, before, after } = report;
  const probe = (one: Report["api"]): string =>
    `${String(one.failed)} of ${String(one.total)} failed, longest gap ${String(one.longestGapMs)} ms`;
  const ready = nodes.filter((node) => node.ready).length;
  const change = `${String(before.servers)} server → ${String(after.servers)} servers`;
  return [
    table.toString(),
    `probes outside        ${probe(api)}`,
    `probes in the cluster ${probe(inCluster)}`,
    `writes                ${String(writes.acknowledged)} acknowledged, ${String(writes.lost)} lost`,
    `etcd                  ${String(etcd.voters)} voters, ${String(etcd.learners)} learners`,
    `nodes                 ${String(ready)} of ${String(nodes.length)} ready`,
    `objects               ${String(before.objects)} before, ${String(after.objects)} after`,
    ...broken.map((promise) => `not as promised: ${promise}`),
    broken.length === 0
      ? `${report.stack}: verified, ${change}; the lab is up, \`./lab/ctl env\` tells how to reach it`
      : `${report.stack}: not verified, ${change}; what the machines say: ${logs}`,
  ].join("\n");
}
