import { k3s, kubeadm, type LabDistribution } from "./distribution.ts";

/** What a machine of the lab is for. */
export type LabRole = "server" | "worker" | "load-balancer" | "dns";

/** One machine of the lab. */
export interface LabMachine {
  readonly name: string;
  readonly address: string;
  readonly role: LabRole;
  /** What it was in the cluster before Triad; nothing if it was no part of it. */
  readonly before?: "server" | "worker";
}

/** The home that a lab imitates: its network and its machines. */
export interface Topology {
  /** Name of the Pulumi stack, of the stack file and of this home. */
  readonly stack: string;
  readonly distribution: LabDistribution;
  readonly domain: string;
  /** The network namespace in which the operator's commands run. */
  readonly namespace: string;
  /** The operator's own address in that namespace; the mirror of artifacts listens there too. */
  readonly operatorAddress: string;
  readonly mirrorPort: number;
  readonly prefixLength: number;
  readonly dnsServer: string;
  /** Its name is its address where the home has no name for it. */
  readonly endpoint: { readonly name: string; readonly address: string; readonly port: number };
  /** Of the distribution. */
  readonly version: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Servers come first, in the order of the list that the rehearsal grows. */
  readonly machines: readonly LabMachine[];
}

const labKubeadm: Topology = {
  stack: "lab-kubeadm",
  distribution: kubeadm,
  domain: "homelab.test",
  namespace: "triad-lab",
  operatorAddress: "10.0.20.1",
  mirrorPort: 8080,
  prefixLength: 24,
  dnsServer: "10.0.20.53",
  endpoint: { name: "k8s-apiserver.homelab.test", address: "10.0.20.99", port: 6443 },
  version: "v1.34.2",
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/12",
  machines: [
    { name: "k8s-master", address: "10.0.20.100", role: "server", before: "server" },
    { name: "k8s-master-2", address: "10.0.20.110", role: "server" },
    { name: "k8s-master-3", address: "10.0.20.111", role: "server" },
    { name: "k8s-node1", address: "10.0.20.101", role: "worker", before: "worker" },
    { name: "k8s-node2", address: "10.0.20.102", role: "worker", before: "worker" },
    { name: "lb1", address: "10.0.20.97", role: "load-balancer" },
    { name: "lb2", address: "10.0.20.98", role: "load-balancer" },
    { name: "dns1", address: "10.0.20.53", role: "dns" },
  ],
};

const labK3s: Topology = {
  stack: "lab-k3s",
  distribution: k3s,
  domain: "home.arpa",
  namespace: "triad-lab",
  operatorAddress: "192.168.1.1",
  mirrorPort: 8080,
  prefixLength: 24,
  dnsServer: "192.168.1.53",
  endpoint: { name: "192.168.1.50", address: "192.168.1.50", port: 8443 },
  version: "v1.34.2+k3s1",
  podCidr: "10.42.0.0/16",
  serviceCidr: "10.43.0.0/16",
  machines: [
    { name: "thinkpad-192-168-1-5", address: "192.168.1.5", role: "server", before: "server" },
    { name: "shuttle-192-168-1-12", address: "192.168.1.12", role: "server", before: "worker" },
    { name: "hp-192-168-1-6", address: "192.168.1.6", role: "server", before: "worker" },
    { name: "odroid1", address: "192.168.1.21", role: "worker", before: "worker" },
    { name: "odroid2", address: "192.168.1.22", role: "worker", before: "worker" },
    { name: "odroid3", address: "192.168.1.23", role: "worker", before: "worker" },
    { name: "odroid4", address: "192.168.1.24", role: "worker", before: "worker" },
    { name: "dns1", address: "192.168.1.53", role: "dns" },
  ],
};

const topologies: readonly Topology[] = [labKubeadm, labK3s];

/** The home that is rehearsed when none is named. */
const defaultStack = "lab-k3s";

/**
 * The home that a lab stack imitates.
 * @throws Error that lists the known stacks when there is none of that name.
 */
export function topologyOf(stack: string): Topology {
  const found = topologies.find((topology) => topology.stack === stack);
  if (found !== undefined) return found;
  const known = topologies.map((topology) => topology.stack).join(", ");
  throw new Error(`no lab is called ${stack}; there is: ${known}`);
}

/**
 * The home that is to be rehearsed.
 * @param stack by default what the environment variable STACK says, or the home of the default lab.
 * @throws Error as {@link topologyOf}
 */
export function chosenTopology(stack?: string): Topology {
  return topologyOf(stack ?? process.env["STACK"] ?? defaultStack);
}

/** The machines of one role. */
export function machinesWith(topology: Topology, role: LabRole): readonly LabMachine[] {
  return topology.machines.filter((machine) => machine.role === role);
}

/** The machines with HAProxy and keepalived: the servers themselves where the home has no others for it. */
export function balancersOf(topology: Topology): readonly LabMachine[] {
  const balancers = machinesWith(topology, "load-balancer");
  return balancers.length > 0 ? balancers : machinesWith(topology, "server");
}

/** The server that the cluster had before Triad, which is the first of the list. */
export function initialServerOf(topology: Topology): LabMachine {
  const server = topology.machines.find(({ before }) => before === "server");
  if (server === undefined) throw new Error(`${topology.stack} has no server`);
  return server;
}

/**
 * One machine of a lab by its name.
 * @throws Error that lists the machines when there is none of that name.
 */
export function machineOf(topology: Topology, name: string): LabMachine {
  const found = topology.machines.find((machine) => machine.name === name);
  if (found !== undefined) return found;
  const known = topology.machines.map((machine) => machine.name).join(", ");
  throw new Error(`no machine of the lab is called ${name}; there are: ${known}`);
}
