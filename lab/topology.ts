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
  /** Whether Triad creates it, on Proxmox: it is not there when the lab begins. */
  readonly isCreated?: true;
  /** Whether somebody else runs it: Triad is told nothing of it. */
  readonly isForeign?: true;
}

/** The Proxmox cluster of a home. Its API is at the operator's address. */
export interface LabProxmox {
  readonly port: number;
  /** The first holds what exists already. */
  readonly nodes: readonly LabNode[];
}

/** A computer with Proxmox. */
export interface LabNode {
  readonly name: string;
  readonly memoryGiB: number;
  readonly cpus: number;
  /** Number of the template on it. */
  readonly template: number;
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
  /** Where machines are created; nothing where all exist. */
  readonly proxmox?: LabProxmox;
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

/** The same home, whose further servers do not exist yet. */
const labProxmox: Topology = {
  ...labKubeadm,
  stack: "lab-proxmox",
  proxmox: {
    port: 8006,
    nodes: [
      { name: "pve1", memoryGiB: 24, cpus: 8, template: 9001 },
      { name: "pve2", memoryGiB: 16, cpus: 4, template: 9002 },
      { name: "pve3", memoryGiB: 16, cpus: 4, template: 9003 },
    ],
  },
  machines: labKubeadm.machines.map((machine) =>
    machine.role === "server" && machine.before === undefined
      ? { ...machine, isCreated: true }
      : machine,
  ),
};

/** The same, with a balancer that its owner sets up by hand. */
const labExternal: Topology = {
  ...labProxmox,
  stack: "lab-external",
  machines: labProxmox.machines
    .filter(({ name }) => name !== "lb2")
    .map((machine) =>
      machine.role === "load-balancer" ? { ...machine, isForeign: true } : machine,
    ),
};

/** Its beginning: no cluster and no server yet. Of the bench alone. */
const labProxmoxNew: Topology = {
  ...labProxmox,
  stack: "lab-proxmox-new",
  machines: labProxmox.machines.flatMap(({ before: _before, ...machine }) => {
    if (machine.role === "worker") return [];
    return [machine.role === "server" ? { ...machine, isCreated: true } : machine];
  }),
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

const topologies: readonly Topology[] = [
  labKubeadm,
  labK3s,
  labProxmox,
  labExternal,
  labProxmoxNew,
];

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

/** The machines that are there before Triad does anything. */
export function existingMachines(topology: Topology): readonly LabMachine[] {
  return topology.machines.filter(({ isCreated }) => isCreated !== true);
}

/** The machines that Triad creates. */
export function createdMachines(topology: Topology): readonly LabMachine[] {
  return topology.machines.filter(({ isCreated }) => isCreated === true);
}

/** The server that the cluster had before Triad, or will have first: the first of the list. */
export function initialServerOf(topology: Topology): LabMachine {
  const [server] = machinesWith(topology, "server");
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
