import type { DistributionName } from "../clusterConfig.ts";

/** Where HAProxy shows its statistics on every load balancer. */
export const statisticsPort = 8404;

/**
 * TCP ports that a server listens on: the API, etcd, kubelet, and what else is in it.
 * @see https://kubernetes.io/docs/reference/networking/ports-and-protocols/
 * @see https://docs.k3s.io/installation/requirements
 */
export const serverPorts: Readonly<Record<DistributionName, readonly number[]>> = {
  kubeadm: [6443, 2379, 2380, 2381, 10248, 10249, 10250, 10256, 10257, 10259],
  k3s: [6443, 6444, 2379, 2380, 2381, 2382, 10010, 10248, 10249, 10250, 10256, 10257, 10258, 10259],
};

/** Those of them that only a server has: a worker that becomes one must have them free. */
export const controlPlanePorts: readonly number[] = [6443, 2379, 2380, 2381, 2382];

/** TCP ports that a worker listens on and cannot do without. */
export const workerPorts: Readonly<Record<DistributionName, readonly number[]>> = {
  kubeadm: [10250],
  k3s: [6444, 10250],
};

/** kube-apiserver's default range for Services of type NodePort, which every node answers. */
export const nodePorts = { first: 30_000, last: 32_767 };
