import type { ReachabilityRule, MachinePlan } from "./clusterPlan.ts";

const API = 6443;
const ETCD_CLIENT = 2379;
const ETCD_PEER = 2380;
const KUBELET = 10250;

/** Machines by role, as far as the rules between them need it. */
export interface MachinesByRole {
  readonly servers: readonly MachinePlan[];
  readonly workers: readonly MachinePlan[];
  readonly loadBalancers: readonly MachinePlan[];
}

/**
 * Which machine must reach which ports of which other one.
 * @see https://kubernetes.io/docs/reference/networking/ports-and-protocols/
 */
export function reachability({
  servers,
  workers,
  loadBalancers,
}: MachinesByRole): ReachabilityRule[] {
  return [
    ...rules(servers, servers, [API, ETCD_CLIENT, ETCD_PEER, KUBELET]),
    ...rules(loadBalancers, servers, [API]),
    ...rules(workers, servers, [API]),
    ...rules(servers, workers, [KUBELET]),
  ];
}

function rules(
  sources: readonly MachinePlan[],
  targets: readonly MachinePlan[],
  ports: readonly number[],
): ReachabilityRule[] {
  return sources.flatMap((source) =>
    targets
      .filter((target) => target.name !== source.name)
      .map((target) => ({ from: source.name, to: target.name, ports })),
  );
}
