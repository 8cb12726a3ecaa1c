import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import type { Judgement } from "../judge.ts";
import type { ProxmoxFacts } from "./facts.ts";
import { isOverfull, leftMiB, memoryOf, type NodeMemory, overheadMiB } from "./memory.ts";

/** Beyond so many virtual CPUs for each that a node has, etcd would often wait for one. */
const vcpusPerCpu = 4;

/** Whether the nodes have memory and CPUs for what the plan adds. */
export function judgeMemory(plan: ClusterPlan, facts: ProxmoxFacts): Judgement {
  const nodes = memoryOf(plan, facts);
  return {
    faults: nodes.flatMap((node) => [
      ...(isOverfull(node) ? [overfull(node, nodes)] : []),
      ...node.growing
        .filter(({ vm }) => node.cpus > 0 && vm.cores > node.cpus)
        .map(
          ({ name, vm }) =>
            `${name}: ${vm.cores} cores are more than the ${node.cpus} of ${node.node}, so it would not start; lower machines.${name}.proxmox.cores`,
        ),
    ]),
    warnings: nodes
      .filter(({ cpus, vcpus }) => vcpus.then > vcpus.now && vcpus.then > vcpusPerCpu * cpus)
      .map(
        ({ node, cpus, vcpus }) =>
          `${node}: ${vcpus.then} virtual CPUs share ${cpus}; etcd waits when they are busy`,
      ),
  };
}

function overfull(memory: NodeMemory, all: readonly NodeMemory[]): string {
  const { node, hasMiB, reservedMiB, nowMiB, thenMiB, guests, growing } = memory;
  const needed = thenMiB - nowMiB;
  const left = leftMiB(memory, "now");
  const names = growing.map(({ name }) => name).join(" and ");
  const state = left < 0 ? "it has promised more than it has already" : `${gib(left)} GiB are left`;
  return (
    `${node}: ${names} ${growing.length === 1 ? "needs" : "need"} ${gib(needed)} GiB more, and ${state}: ` +
    `${gib(nowMiB)} of ${gib(hasMiB)} are promised to ${guests} guests, ${gib(reservedMiB)} are the host's; ` +
    `the kernel would kill one of them; ${cure(memory, all)}`
  );
}

function cure(memory: NodeMemory, all: readonly NodeMemory[]): string {
  const { growing, thenMiB, nowMiB, node } = memory;
  const each = eachMiB(memory);
  const roomier = all.filter(
    (other) => other.node !== node && leftMiB(other, "then") >= thenMiB - nowMiB,
  );
  return [
    ...(each < 512
      ? []
      : [`give ${growing.length === 1 ? "it" : "each"} ${each} MiB at most by memoryMiB`]),
    ...(roomier.length === 0
      ? []
      : [
          `put ${growing.length === 1 ? "it" : "them"} on ${roomier.map((one) => one.node).join(" or ")}`,
        ]),
    "stop guests there, or give them less",
  ].join(", or ");
}

/** The largest memory with which all that grow would fit, in whole 64 MiB. */
function eachMiB(memory: NodeMemory): number {
  const count = Math.max(1, memory.growing.length);
  const left = leftMiB(memory, "now");
  return Math.max(0, Math.floor((left / count - overheadMiB) / 64) * 64);
}

/** The nodes' memory, a line each below a head: now, then, and what would still fit. */
export function memoryTable(plan: ClusterPlan, facts: ProxmoxFacts): string {
  const rows = memoryOf(plan, facts).map((memory) => [
    memory.node,
    gib(memory.hasMiB),
    gib(memory.reservedMiB),
    gib(memory.nowMiB),
    gib(memory.thenMiB),
    `${Math.round((100 * memory.thenMiB) / memory.hasMiB)} %`,
    fits(memory),
    `${memory.vcpus.then} on ${memory.cpus}`,
  ]);
  const head = ["node", "has", "host's", "now", "then", "used", "would fit", "vCPUs"];
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
  return `memory that is promised to guests, in GiB:\n${lines.map((line) => `  ${line.trimEnd()}`).join("\n")}`;
}

/** What one more machine could have at most; of a plan that does not fit, what each of its own could have. */
function fits(memory: NodeMemory): string {
  if (isOverfull(memory)) {
    const count = memory.growing.length;
    return count === 1 ? gib(eachMiB(memory)) : `${count} × ${gib(eachMiB(memory))}`;
  }
  return gib(Math.max(0, leftMiB(memory, "then") - overheadMiB));
}

function gib(mib: number): string {
  return (mib / 1024).toFixed(1);
}
