import type { EtcdMember } from "../../acts/etcdMembers.ts";
import { parseConfig } from "../../config/parse.ts";
import { type ClusterPlan, planCluster } from "../../plan/clusterPlan.ts";

/** A key that is well-formed; nobody answers with it. */
export const sampleHostKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZ2Vn0uYy7fTgAVTmZFG3lNHRyIHYSzGCX3qF0S9o1p";

const addresses = {
  "k8s-master": "10.0.20.100",
  "k8s-master-2": "10.0.20.110",
  "k8s-master-3": "10.0.20.111",
  "k8s-node1": "10.0.20.101",
  "k8s-node2": "10.0.20.102",
  lb1: "10.0.20.97",
  lb2: "10.0.20.98",
};

/** The plan of the rehearsal's homelab: two load balancers, two workers, and the servers given. */
export function samplePlan(
  servers: readonly string[] = ["k8s-master"],
  overrides: Readonly<Record<string, unknown>> = {},
): ClusterPlan {
  return planCluster(
    parseConfig({
      name: "homelab",
      distribution: "kubeadm",
      version: "v1.34.2",
      machines: Object.fromEntries(
        Object.entries(addresses).map(([name, address]) => [
          name,
          { address, hostKey: sampleHostKey },
        ]),
      ),
      servers,
      workers: ["k8s-node1", "k8s-node2"],
      loadBalancers: ["lb1", "lb2"],
      endpoint: { name: "k8s-apiserver.homelab.test", address: "10.0.20.99" },
      ssh: { user: "ops", agent: true },
      dns: { server: "10.0.20.53", zone: "homelab.test", tsig: { name: "triad" } },
      dnsTsigSecret: { secure: "not read" },
      ...overrides,
    }),
  );
}

/** As overrides of {@link samplePlan}: these machines are gone. */
export function withGone(...gone: readonly string[]): Readonly<Record<string, unknown>> {
  return described(addresses, gone);
}

function described(
  addressOf: Readonly<Record<string, string>>,
  gone: readonly string[],
): Readonly<Record<string, unknown>> {
  const machines = Object.entries(addressOf).map(([name, address]) => [
    name,
    { address, hostKey: sampleHostKey, gone: gone.includes(name) },
  ]);
  return { machines: Object.fromEntries(machines) };
}

/** A voter at an address. */
export function member(address: string, healthy = true): EtcdMember {
  return {
    id: address,
    name: address,
    peerAddress: address,
    role: "voter",
    healthy,
    leader: false,
  };
}

/** What a machine's `proxmox` says, by the machine's name. */
export type SampleVms = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** As overrides of {@link samplePlan}: these machines are created on Proxmox, of template 9000 on pve1 unless told. */
export function withVms(
  vms: SampleVms,
  proxmox: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const machines = Object.entries(addresses).map(([name, address]) => [
    name,
    { address, hostKey: sampleHostKey, ...(vms[name] ? { proxmox: vms[name] } : {}) },
  ]);
  return {
    machines: Object.fromEntries(machines),
    proxmox: {
      endpoint: "https://pve.homelab.test:8006",
      gateway: "10.0.20.1",
      authorizedKeys: [sampleHostKey],
      defaults: { node: "pve1", template: 9000 },
      ...proxmox,
    },
    proxmoxToken: { secure: "not read" },
    hostKeySeed: { secure: "not read" },
  };
}

const home = {
  "thinkpad-192-168-1-5": "192.168.1.5",
  "shuttle-192-168-1-12": "192.168.1.12",
  "hp-192-168-1-6": "192.168.1.6",
  odroid1: "192.168.1.21",
};

/** As overrides of {@link sampleK3sPlan}: these machines are gone. */
export function homeWithGone(...gone: readonly string[]): Readonly<Record<string, unknown>> {
  return described(home, gone);
}

/** The plan of a home on k3s whose servers balance themselves; machines that are no servers are workers. */
export function sampleK3sPlan(
  servers: readonly string[] = ["thinkpad-192-168-1-5"],
  overrides: Readonly<Record<string, unknown>> = {},
): ClusterPlan {
  return planCluster(
    parseConfig({
      name: "homelab",
      distribution: "k3s",
      version: "v1.34.2+k3s1",
      machines: Object.fromEntries(
        Object.entries(home).map(([name, address]) => [name, { address, hostKey: sampleHostKey }]),
      ),
      servers,
      workers: Object.keys(home).filter((name) => !servers.includes(name)),
      endpoint: { address: "192.168.1.50" },
      ssh: { user: "ops", agent: true },
      ...overrides,
    }),
  );
}
