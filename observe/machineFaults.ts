import {
  controlPlanePorts,
  serverPorts,
  statisticsPort,
  workerPorts,
} from "../config/values/ports.ts";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import type { MachineFacts } from "./observation.ts";

/** What a machine lacks, or has too much of, for its role. What runs in the cluster already is adopted as it is. */
export function machineFaults(
  machine: MachinePlan,
  facts: MachineFacts,
  plan: ClusterPlan,
): string[] {
  const isBalancer = plan.loadBalancers.some(({ name }) => name === machine.name);
  return [
    ...(isBalancer
      ? takenPorts(machine, facts, [plan.endpoint.port, statisticsPort], /^haproxy$/)
      : []),
    ...(machine.role === "load-balancer" ? [] : nodeFaults(machine, facts, plan)),
  ];
}

function nodeFaults(machine: MachinePlan, facts: MachineFacts, plan: ClusterPlan): string[] {
  const { distribution } = plan;
  const foreign = foreignFaults(machine, facts, plan);
  if (foreign.length > 0) return foreign;
  const isServer = machine.role === "server";
  if (facts.kubeletConf || facts.k3s.role === "server") return [];
  if (facts.k3s.role === "agent") {
    if (!isServer) return [];
    // An agent with k3s's registry mirror has 6443 itself.
    return [
      ...sizeFaults(machine, facts, plan),
      ...takenPorts(machine, facts, controlPlanePorts, /^k3s/),
    ];
  }
  const ports = (isServer ? serverPorts : workerPorts)[distribution];
  return [...sizeFaults(machine, facts, plan), ...takenPorts(machine, facts, ports)];
}

/** A node of the other distribution: its kubelet and the one to come would destroy each other's pods. */
function foreignFaults(
  { name }: MachinePlan,
  { kubeletConf, k3s }: MachineFacts,
  { distribution }: ClusterPlan,
): string[] {
  if (distribution === "k3s" && kubeletConf) {
    return [
      `${name}: it is a node of a kubeadm cluster (/etc/kubernetes/kubelet.conf), distribution says k3s; correct that, or run kubeadm reset there`,
    ];
  }
  if (distribution === "kubeadm" && k3s.role !== "none") {
    return [
      `${name}: it is k3s's ${k3s.role}, distribution says kubeadm; correct that, or uninstall k3s there`,
    ];
  }
  return [];
}

function sizeFaults(
  { name }: MachinePlan,
  { diskFreeGiB, memoryMiB }: MachineFacts,
  { preflight }: ClusterPlan,
): string[] {
  const faults: string[] = [];
  if (diskFreeGiB < preflight.diskGiB) {
    faults.push(
      `${name}: ${diskFreeGiB} GiB of disk are free, preflight.diskGiB asks for ${preflight.diskGiB}; free some, or lower it`,
    );
  }
  if (memoryMiB < preflight.memoryMiB) {
    faults.push(
      `${name}: it has ${memoryMiB} MiB of memory, preflight.memoryMiB asks for ${preflight.memoryMiB}; add some, or lower it`,
    );
  }
  return faults;
}

function takenPorts(
  { name }: MachinePlan,
  { listeners }: MachineFacts,
  ports: readonly number[],
  allowed?: RegExp,
): string[] {
  return listeners
    .filter(({ port, process }) => ports.includes(port) && allowed?.test(process) !== true)
    .map(
      ({ port, process }) =>
        `${name}: port ${port} is taken by ${process || "another process"}; stop it, Triad needs that port there`,
    );
}
