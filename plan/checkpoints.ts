import type { ClusterPlan, MachinePlan } from "./clusterPlan.ts";
import { present } from "./present.ts";

/** A server that is a virtual machine at Proxmox, created by Triad or not. */
export interface CheckpointedServer {
  readonly machine: MachinePlan;
  /** Its number there. */
  readonly vmId: number;
}

/** The servers of the list that checkpoints are taken of; none where the config asks for none. */
export function checkpointedServers(plan: ClusterPlan): CheckpointedServer[] {
  if (plan.proxmox?.checkpoints === undefined) return [];
  return present(plan.servers).flatMap((machine) => {
    const vmId = numberAtProxmox(plan, machine);
    return vmId === undefined ? [] : [{ machine, vmId }];
  });
}

/** A machine's number at Proxmox, where the config tells it. */
export function numberAtProxmox(
  { proxmox }: Pick<ClusterPlan, "proxmox">,
  { name, vm }: Pick<MachinePlan, "name" | "vm">,
): number | undefined {
  return vm?.vmId ?? proxmox?.checkpoints?.existing[name];
}
