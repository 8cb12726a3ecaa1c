import type { LabDistribution } from "../distribution.ts";
import type { Topology } from "../topology.ts";
import { k3sPromises } from "./promises/k3s.ts";
import { kubeadmPromises } from "./promises/kubeadm.ts";
import type { Promised } from "./promises/promised.ts";
import { proxmoxPromises } from "./promises/proxmox.ts";
import { shared } from "./promises/shared.ts";

const own: Readonly<Record<LabDistribution["name"], readonly Promised[]>> = {
  kubeadm: kubeadmPromises,
  k3s: k3sPromises,
};

/** What has to be true of a lab whose servers are all on the list. */
export function promisesOf({ distribution, proxmox }: Topology): readonly Promised[] {
  const created = proxmox === undefined ? [] : proxmoxPromises;
  return [...own[distribution.name], ...shared, ...created];
}
