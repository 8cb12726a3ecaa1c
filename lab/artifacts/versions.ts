import { topologyOf } from "../topology.ts";

/**
 * What the lab's cluster is made of. kubeadm names the tags of etcd, CoreDNS and pause itself, and k3s
 * that of its pause.
 * @see https://github.com/kubernetes/kubernetes/blob/v1.34.2/cmd/kubeadm/app/constants/constants.go
 */
export const artifactVersions = {
  kubernetes: topologyOf("lab-kubeadm").version,
  k3s: topologyOf("lab-k3s").version,
  etcd: "v3.6.5",
  etcdTag: "3.6.5-0",
  coredns: "v1.12.1",
  pauseTag: "3.10.1",
  kine: "v0.16.4",
  k3sPauseTag: "3.6",
  flannel: "v0.26.7",
} as const;
