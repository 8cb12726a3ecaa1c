import type { MachineConfig } from "../config/clusterConfig.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import type { Access, Machine } from "../acts/request.ts";

/** What an act must know of a machine, and nothing that changes with its role. */
export function machineRequest({ name, nodeName, address, hostKey, ssh }: MachineConfig): Machine {
  return { name, nodeName, address, hostKey, ssh };
}

/** The way in to the cluster; it stays the same when the list of servers grows by a described machine. */
export function accessRequest({ ssh, peers }: ClusterPlan): Access {
  return { identity: ssh, peers: peers.map(machineRequest) };
}
