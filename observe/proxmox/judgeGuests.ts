import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import type { Judgement } from "../judge.ts";
import type { GuestFacts, ProxmoxFacts } from "./facts.ts";
import { guestOf } from "./memory.ts";
import { virtualMachinesOf, type VirtualMachinePlan } from "./virtualMachinesOf.ts";

/**
 * Whether each machine's number is free or its own, its node there, and its size what it was made with: nobody restarts a
 * server for another size but its operator.
 */
export function judgeGuests(plan: ClusterPlan, { guests, nodes }: ProxmoxFacts): Judgement {
  const judgements = virtualMachinesOf(plan).map((machine) => {
    const guest = guestOf(machine, guests);
    if (guest !== undefined) return judgeExisting(machine, guest);
    return { faults: [...elsewhere(machine, guests), ...nodeFaults(machine, nodes)], warnings: [] };
  });
  return {
    faults: judgements.flatMap(({ faults }) => faults),
    warnings: judgements.flatMap(({ warnings }) => warnings),
  };
}

function judgeExisting(machine: VirtualMachinePlan, guest: GuestFacts): Judgement {
  const { name, vm } = machine;
  if (guest.kind !== "qemu" || guest.isTemplate || guest.name !== name) {
    const what = guest.isTemplate ? "template" : guest.kind === "lxc" ? "container" : "machine";
    return {
      faults: [
        `${name}: the number ${vm.vmId} is that of the ${what} ${guest.name} on ${guest.node}; give another by machines.${name}.proxmox.vmId`,
      ],
      warnings: [],
    };
  }
  if (guest.serial !== undefined && guest.serial !== name) {
    return { faults: [halfMade(machine, guest)], warnings: [] };
  }
  const resized = otherSize(machine, guest);
  const moved =
    guest.node === vm.node
      ? []
      : [
          `${name}: it is on ${guest.node} and stays there, machines.${name}.proxmox.node says ${vm.node}; correct that, or move it by \`qm migrate ${vm.vmId} ${vm.node} --online\` on ${guest.node}`,
        ];
  return machine.role === "server"
    ? { faults: resized, warnings: moved }
    : { faults: [], warnings: [...resized, ...moved] };
}

/** Cloned, and then nothing: the run was cut off, or the node lost, before the engine knew of it. */
function halfMade({ name, vm }: VirtualMachinePlan, { node }: GuestFacts): string {
  return (
    `${name}: the machine ${vm.vmId} on ${node} has its name but is not one that Triad has finished, as after a run that was cut off while it was cloned; ` +
    `if it is that, run \`qm unlock ${vm.vmId}; qm stop ${vm.vmId}; qm destroy ${vm.vmId} --purge\` on ${node} and pulumi up again; else give another machines.${name}.proxmox.vmId`
  );
}

/** The command for it, since another size takes a restart. */
function otherSize({ name, vm }: VirtualMachinePlan, guest: GuestFacts): string[] {
  const changes = [
    { key: "memory", said: "memoryMiB", is: guest.memoryMiB, wanted: vm.memoryMiB },
    { key: "cores", said: "cores", is: guest.cores, wanted: vm.cores },
  ].filter(({ is, wanted }) => is !== wanted);
  if (changes.length === 0) return [];
  const differences = changes.map(
    ({ said, is, wanted }) => `${said} is ${is} there and ${wanted} here`,
  );
  const options = changes.map(({ key, wanted }) => `--${key} ${wanted}`).join(" ");
  return [
    `${name}: ${differences.join(", ")}, and Triad restarts no machine for its size; on ${guest.node} run ` +
      `\`qm set ${vm.vmId} ${options} && qm reboot ${vm.vmId}\`, of servers one at a time and each Ready again before the next, then pulumi up again`,
  ];
}

/** Another number would make a second machine under the same name and address. */
function elsewhere({ name, vm }: VirtualMachinePlan, guests: readonly GuestFacts[]): string[] {
  return guests
    .filter((guest) => guest.name === name && !guest.isTemplate)
    .map(
      (guest) =>
        `${name}: a guest of that name has the number ${guest.vmId} on ${guest.node}, machines.${name}.proxmox.vmId says ${vm.vmId}; say ${guest.vmId} if it is this machine, as a machine keeps its number; else rename or remove the other`,
    );
}

function nodeFaults({ name, vm }: VirtualMachinePlan, nodes: ProxmoxFacts["nodes"]): string[] {
  const node = nodes.find((one) => one.name === vm.node);
  if (node?.online === true) return [];
  if (node !== undefined) return [`${name}: the node ${vm.node} is off; start it, or give another`];
  const names = nodes.map((one) => one.name).join(", ");
  return [
    `${name}: Proxmox has no node ${vm.node}; give one of ${names} by machines.${name}.proxmox.node`,
  ];
}
