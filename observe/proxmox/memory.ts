import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import type { GuestFacts, NodeFacts, ProxmoxFacts } from "./facts.ts";
import { virtualMachinesOf, type VirtualMachinePlan } from "./virtualMachinesOf.ts";

/**
 * What QEMU takes beside the machine's own memory, in MiB: its heap and threads, and the page tables of a large machine.
 * An estimate.
 */
export const overheadMiB = 256;
/** Proxmox's installer gives ZFS a tenth of the memory, and no more than this, in MiB. @see https://pve.proxmox.com/wiki/ZFS_on_Linux */
const largestZfsCacheMiB = 16_384;

/** A node's memory now and once the plan is carried out, in MiB. */
export interface NodeMemory {
  readonly node: string;
  readonly hasMiB: number;
  /** Of the host and of ZFS's cache. */
  readonly reservedMiB: number;
  /** Promised to guests that run, or start with the node. */
  readonly nowMiB: number;
  readonly thenMiB: number;
  /** Number of those guests now. */
  readonly guests: number;
  /** Virtual CPUs then, and the node's own. */
  readonly vcpus: { readonly now: number; readonly then: number };
  readonly cpus: number;
  /** Machines that are created there, or grow. */
  readonly growing: readonly VirtualMachinePlan[];
}

/** What is left of it, in MiB; below 0 where more is promised than there is. */
export function leftMiB(memory: NodeMemory, when: "now" | "then"): number {
  return memory.hasMiB - memory.reservedMiB - (when === "now" ? memory.nowMiB : memory.thenMiB);
}

/** Whether the plan asks for more than there is. A node that had promised too much before is nobody's new fault. */
export function isOverfull(memory: NodeMemory): boolean {
  return memory.thenMiB > memory.nowMiB && leftMiB(memory, "then") < 0;
}

/** The memory of each node whose size is known, in the order of their names. The plan's own machines count once. */
export function memoryOf(plan: ClusterPlan, facts: ProxmoxFacts): NodeMemory[] {
  const created = virtualMachinesOf(plan);
  return facts.nodes
    .flatMap((node) => nodeMemory(node, plan, facts, created))
    .sort((one, other) => (one.node < other.node ? -1 : 1));
}

function nodeMemory(
  { name, memoryMiB, cpus = 0 }: NodeFacts,
  plan: ClusterPlan,
  { guests, storages }: ProxmoxFacts,
  created: readonly VirtualMachinePlan[],
): NodeMemory[] {
  if (memoryMiB === undefined) return [];
  const hasZfs = storages.some((one) => one.node === name && one.type === "zfspool");
  const guessed = hasZfs ? Math.min(Math.floor(memoryMiB / 10), largestZfsCacheMiB) : 0;
  const here = guests.filter((guest) => guest.node === name && isPromised(guest));
  // One that has been moved is counted where it is.
  const planned = created.filter(
    (machine) => (guestOf(machine, guests)?.node ?? machine.vm.node) === name,
  );
  const foreign = here.filter((guest) => !planned.some(({ vm }) => vm.vmId === guest.vmId));
  const own = planned.map((machine) => ({
    machine,
    before: here.find(({ vmId }) => vmId === machine.vm.vmId),
  }));
  const growth = sum(
    own.map(({ machine: { vm }, before }) =>
      before === undefined
        ? vm.memoryMiB + overheadMiB
        : Math.max(0, vm.memoryMiB - before.memoryMiB),
    ),
  );
  const now = sum(here.map(memoryOfGuest));
  return [
    {
      node: name,
      hasMiB: memoryMiB,
      reservedMiB: (plan.proxmox?.hostReserveMiB ?? 0) + (plan.proxmox?.zfsCacheMiB ?? guessed),
      nowMiB: now,
      thenMiB: now + growth,
      guests: here.length,
      vcpus: {
        now: sum(here.map(({ cores }) => cores)),
        then: sum([...foreign.map(({ cores }) => cores), ...planned.map(({ vm }) => vm.cores)]),
      },
      cpus,
      growing: own
        .filter(({ machine: { vm }, before }) => (before?.memoryMiB ?? 0) < vm.memoryMiB)
        .map(({ machine }) => machine),
    },
  ];
}

/** The guest that a machine is already. */
export function guestOf(
  { vm }: VirtualMachinePlan,
  guests: readonly GuestFacts[],
): GuestFacts | undefined {
  return guests.find(({ vmId }) => vmId === vm.vmId);
}

/** One that is off and stays off needs nothing. */
function isPromised({ isRunning, isTemplate, onBoot }: GuestFacts): boolean {
  return !isTemplate && (isRunning || onBoot);
}

function memoryOfGuest({ kind, memoryMiB }: GuestFacts): number {
  return memoryMiB + (kind === "qemu" ? overheadMiB : 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
