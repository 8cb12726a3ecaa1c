/** What a machine of the lab is for. */
export type LabRole = "server" | "worker" | "load-balancer" | "dns";

/** One machine of the lab. */
export interface LabMachine {
  readonly name: string;
  readonly address: string;
  readonly role: LabRole;
}

/** The home that a lab imitates: its network and its machines. */
export interface Topology {
  /** Name of the Pulumi stack, of the stack file and of this home. */
  readonly stack: string;
  readonly domain: string;
  /** The network namespace in which the operator's commands run. */
  readonly namespace: string;
  /** The operator's own address in that namespace; the mirror of artifacts listens there too. */
  readonly operatorAddress: string;
  readonly mirrorPort: number;
  readonly prefixLength: number;
  readonly dnsServer: string;
  readonly endpoint: { readonly name: string; readonly address: string; readonly port: number };
  readonly kubernetesVersion: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Servers come first, in the order of the list that the rehearsal grows. */
  readonly machines: readonly LabMachine[];
}

const labKubeadm: Topology = {
  stack: "lab-kubeadm",
  domain: "homelab.test",
  namespace: "triad-lab",
  operatorAddress: "10.0.20.1",
  mirrorPort: 8080,
  prefixLength: 24,
  dnsServer: "10.0.20.53",
  endpoint: { name: "k8s-apiserver.homelab.test", address: "10.0.20.99", port: 6443 },
  kubernetesVersion: "v1.34.2",
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/12",
  machines: [
    { name: "k8s-master", address: "10.0.20.100", role: "server" },
    { name: "k8s-master-2", address: "10.0.20.110", role: "server" },
    { name: "k8s-master-3", address: "10.0.20.111", role: "server" },
    { name: "k8s-node1", address: "10.0.20.101", role: "worker" },
    { name: "k8s-node2", address: "10.0.20.102", role: "worker" },
    { name: "lb1", address: "10.0.20.97", role: "load-balancer" },
    { name: "lb2", address: "10.0.20.98", role: "load-balancer" },
    { name: "dns1", address: "10.0.20.53", role: "dns" },
  ],
};

const topologies: readonly Topology[] = [labKubeadm];

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
 * One machine of a lab by its name.
 * @throws Error that lists the machines when there is none of that name.
 */
export function machineOf(topology: Topology, name: string): LabMachine {
  const found = topology.machines.find((machine) => machine.name === name);
  if (found !== undefined) return found;
  const known = topology.machines.map((machine) => machine.name).join(", ");
  throw new Error(`no machine of the lab is called ${name}; there are: ${known}`);
}
