import type { VmConfig } from "../../config/proxmoxConfig.ts";
import type { ClusterPlan, MachinePlan } from "../../plan/clusterPlan.ts";

/** A machine that is to be, or was, created. */
export type VirtualMachinePlan = MachinePlan & { readonly vm: VmConfig };

/** The plan's virtual machines, in its order. */
export function virtualMachinesOf({ machines }: ClusterPlan): VirtualMachinePlan[] {
  return machines.flatMap((machine) => (isVirtual(machine) ? machine : []));
}

function isVirtual(machine: MachinePlan): machine is VirtualMachinePlan {
  return machine.vm !== undefined;
}
