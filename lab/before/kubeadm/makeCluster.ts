import { progress } from "../../progress.ts";
import type { LabMachine, Topology } from "../../topology.ts";
import type { ByHand } from "../beforeState.ts";
import { apply, mirrorOf, mustExec, namesOf, recipe } from "../byHand.ts";

/**
 * The way of Kubernetes' own documentation: one server without a controlPlaneEndpoint, workers joined to its
 * address, flannel.
 */
export const kubeadmByHand: ByHand = {
  recipes: ["kubeadm/install.sh", "kubeadm/cluster.yaml", "kubeadm/flannel.yaml"],
  make,
  parts: [
    ["kube-flannel", "daemonset/kube-flannel-ds"],
    ["kube-system", "daemonset/kube-proxy"],
    ["kube-system", "deployment/coredns"],
  ],
};

async function make(
  topology: Topology,
  server: LabMachine,
  workers: readonly LabMachine[],
): Promise<void> {
  const machines = [server, ...workers];
  progress(`installing Kubernetes ${topology.version} on ${namesOf(machines)} by hand`);
  const install = await recipe("kubeadm/install.sh", topology, server);
  const values = [topology.version, mirrorOf(topology)];
  await Promise.all(
    machines.map((machine) => mustExec(machine, ["bash", "-s", ...values], install)),
  );
  progress(`kubeadm init on ${server.name}`);
  const configuration = await recipe("kubeadm/cluster.yaml", topology, server);
  await mustExec(server, ["sh", "-c", "cat >/root/kubeadm.yaml"], configuration);
  await mustExec(server, ["kubeadm", "init", "--config=/root/kubeadm.yaml"]);
  await apply(topology, server, await recipe("kubeadm/flannel.yaml", topology, server));
  const join = await mustExec(server, ["kubeadm", "token", "create", "--print-join-command"]);
  progress(`kubeadm join on ${namesOf(workers)}`);
  await Promise.all(workers.map((worker) => mustExec(worker, join.trim().split(/\s+/))));
}
