import type { MachineConfig } from "../config/clusterConfig.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import type { Access, Balancers, Machine } from "../acts/request.ts";

/** What an act must know of a machine, and nothing that changes with its role. */
export function machineRequest({ name, nodeName, address, hostKey, ssh }: MachineConfig): Machine {
  return { name, nodeName, address, hostKey, ssh };
}

/**
 * The way in to the cluster; it stays the same when the list of servers grows by a described machine, and when one is
 * gone: who does not answer is no way in.
 */
export function accessRequest({ distribution, ssh, peers }: ClusterPlan): Access {
  return { distribution, identity: ssh, peers: peers.map(machineRequest) };
}

/** The load balancers; where the servers balance themselves, whoever is one when the act runs; or somebody else. */
export function balancersRequest({
  endpoint,
  ownLoadBalancers,
  loadBalancers,
}: ClusterPlan): Balancers {
  if (endpoint.external === true) return "external";
  return ownLoadBalancers ? "servers" : present(loadBalancers).map(machineRequest);
}
