import type { LabDistribution } from "../distribution.ts";
import { progress } from "../progress.ts";
import { initialServerOf, type LabMachine, type Topology } from "../topology.ts";
import { apply, kubectlOn, mustExec, recipe } from "./byHand.ts";
import { kubeadmByHand } from "./kubeadm/makeCluster.ts";
import { k3sByHand } from "./k3s/makeCluster.ts";
import { keepsakeManifests, workload } from "./workload/workload.ts";

/** How the cluster that is to be taken over comes about without Triad. */
export interface ByHand {
  /** Files of `lab/before` that it is made of, beside the workload's. */
  readonly recipes: readonly string[];
  /** Makes the cluster: one server and its agents. */
  readonly make: (
    topology: Topology,
    server: LabMachine,
    agents: readonly LabMachine[],
  ) => Promise<void>;
  /** What runs when it is whole, beside the workload: namespace and name for kubectl. */
  readonly parts: readonly (readonly [string, string])[];
}

const ways: Readonly<Record<LabDistribution["name"], ByHand>> = {
  kubeadm: kubeadmByHand,
  k3s: k3sByHand,
};

/** @see {@link ByHand} */
export function byHandOf(topology: Topology): ByHand {
  return ways[topology.distribution.name];
}

/** The machines that are a cluster before Triad; the server comes first. */
export function beforeMachines(topology: Topology): LabMachine[] {
  const agents = topology.machines.filter(({ before }) => before === "worker");
  return [initialServerOf(topology), ...agents];
}

/** Makes the cluster by hand, and puts on it something that runs and things worth keeping. */
export async function makeCluster(topology: Topology): Promise<void> {
  const [server, ...agents] = beforeMachines(topology);
  if (server === undefined) return;
  await byHandOf(topology).make(topology, server, agents);
  // Or all of it would run on the machine that is Ready first.
  await untilNodesAreReady(topology);
  progress("something that runs, and things worth keeping");
  await apply(topology, server, await recipe("workload/workload.yaml", topology, server));
  await apply(topology, server, keepsakeManifests());
  await untilWhole(topology);
}

/** Waits until all nodes are Ready and everything that should run does. */
export async function untilWhole(topology: Topology): Promise<void> {
  const server = initialServerOf(topology);
  const kubectl = kubectlOn(topology);
  await untilNodesAreReady(topology);
  for (const [namespace, what] of [...byHandOf(topology).parts, ...workload.parts]) {
    const look = ["rollout", "status", "-n", namespace, what, "--timeout=180s"];
    await mustExec(server, [...kubectl, ...look]);
  }
}

async function untilNodesAreReady(topology: Topology): Promise<void> {
  const nodes = beforeMachines(topology).length;
  const kubectl = kubectlOn(topology).join(" ");
  const ready = `${kubectl} get nodes --no-headers 2>/dev/null | grep -cw Ready`;
  const wait = `until [ "$(${ready})" = ${String(nodes)} ]; do sleep 0.3; done`;
  await mustExec(initialServerOf(topology), ["timeout", "180", "bash", "-c", wait]);
}
