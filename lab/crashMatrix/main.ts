/**
 * `make crash-matrix`, `node lab/crashMatrix/main.ts --distribution k3s|kubeadm [--cases PATTERN] [--list]`: interrupts
 * the way from one server to three at every kind of step, and looks whether the same run again makes it whole. Cases that
 * have converged with this very program are not run again.
 */
import { parseArgs } from "node:util";
import { programHash } from "../savedState/programHash.ts";
import { States } from "../savedState/states.ts";
import { chosenTopology } from "../topology.ts";
import { type CrashCase, cases, nameOf, stepOf } from "./cases.ts";
import {
  isDone,
  isSameCase,
  keepResult,
  readResults,
  type CaseKey,
  type Result,
} from "./results.ts";
import { folderOf, runCase } from "./runCase.ts";
import { tableOf } from "./table.ts";

const { values } = parseArgs({
  options: {
    distribution: { type: "string", default: "k3s" },
    cases: { type: "string", default: "" },
    list: { type: "boolean", default: false },
  },
});
const topology = chosenTopology(`lab-${values.distribution}`);
const { name: distribution } = topology.distribution;
const pattern = new RegExp(values.cases, "i");
const chosen = cases[distribution].filter((one) => pattern.test(nameOf(one, topology)));
if (values.list) {
  for (const one of chosen) console.log(`${one.from.padEnd(8)} ${nameOf(one, topology)}`);
  process.exit(0);
}

const program = await programHash();
const states = await States.of(topology);
const due = chosen.filter((one) => !isDone(readResults(), keyOf(one), program));
tell(`${String(chosen.length)} cases, of which ${String(due.length)} are to be run`);
for (const [index, one] of due.entries()) {
  tell(`${String(index + 1)}/${String(due.length)} ${nameOf(one, topology)}`);
  const result = await runCase({ topology, states, program }, one);
  keepResult(result);
  tell(verdict(result, one));
}
const results = chosen.flatMap(
  (one) => readResults().find((result) => isSameCase(result, keyOf(one))) ?? [],
);
console.log(tableOf(results));
process.exit(results.every(({ converged }) => converged) ? 0 : 1);

function keyOf(one: CrashCase): CaseKey {
  return { distribution, step: stepOf(one), fault: one.fault.what(topology) };
}

function verdict(result: Result, one: CrashCase): string {
  const took = `${String(result.caseSeconds)} s in all`;
  if (result.converged)
    return `  converged by ${result.healedBy} in ${String(result.seconds)} s (${took}); found: ${result.stateFound}`;
  return `  NOT CONVERGED (${took}): ${result.problem ?? ""}\n  what was seen: ${folderOf(topology, one)}`;
}

function tell(line: string): void {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${line}\n`);
}
