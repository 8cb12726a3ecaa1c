import { macOf } from "../machines/network.ts";
import { existingMachines, type LabMachine, type LabNode, type Topology } from "../topology.ts";
import { tokenId } from "./mintProxmox.ts";
import type { GuestOptions, ProxmoxOptions, StorageOptions } from "./options.ts";

const gibibyte = 1024 ** 3;

const config = ["CDROM", "CPU", "Disk", "HWType", "Memory", "Network", "Options"];

/** What the token may: the rights that docs/proxmox.md asks for and no other, so that a rehearsal shows that they are enough. */
export const rights: Readonly<Record<string, readonly string[]>> = {
  "/vms": [
    ...["VM.Allocate", "VM.Audit", "VM.Clone", "VM.PowerMgmt", "VM.Snapshot"],
    ...config.map((what) => `VM.Config.${what}`),
  ],
  "/storage": ["Allocate", "AllocateSpace", "AllocateTemplate", "Audit"].map(
    (what) => `Datastore.${what}`,
  ),
  "/nodes": ["Sys.Audit"],
  "/sdn": ["SDN.Use"],
};

const storages: readonly StorageOptions[] = [
  { name: "local", type: "dir", content: ["iso"], shared: false, totalBytes: 50 * gibibyte },
  {
    ...{ name: "local-lvm", type: "lvmthin", content: ["images", "rootdir"], shared: false },
    totalBytes: 500 * gibibyte,
  },
];

/** What is told apart from the home: what makes machines real, and secrets. */
export type LabSecrets = Pick<ProxmoxOptions, "hypervisor" | "tls"> & { readonly secret: string };

/**
 * Proxmox as a home of the lab has it: its nodes with a template each, and on the first of them the machines that exist,
 * nodes of the cluster as VMs, the others as containers.
 * @throws Error where the home has no Proxmox
 */
export function proxmoxOptionsOf(
  topology: Topology,
  { secret, ...rest }: LabSecrets,
): ProxmoxOptions {
  const { proxmox, operatorAddress, domain, dnsServer } = topology;
  if (proxmox === undefined) throw new Error(`${topology.stack} has no Proxmox`);
  const [first] = proxmox.nodes;
  return {
    ...rest,
    nodes: proxmox.nodes.map(({ name, memoryGiB, cpus }) => ({
      ...{ name, cpus, storages, memoryBytes: memoryGiB * gibibyte },
      dns: { search: domain, servers: [dnsServer] },
    })),
    templates: proxmox.nodes.map(({ name: node, template: id }) => ({
      ...{ id, node, name: `debian-12-${node}`, storage: "local-lvm" },
      diskBytes: 2 * gibibyte,
    })),
    guests: existingMachines(topology).map((machine, index) =>
      guestOf(machine, 101 + index, first),
    ),
    tokens: [{ id: tokenId, secret, privileges: rights }],
    // A clone of a real disk takes longer, a start as long.
    taskMs: 500,
    address: operatorAddress,
    port: proxmox.port,
  };
}

function guestOf(
  { name, role, address }: LabMachine,
  id: number,
  node: LabNode | undefined,
): GuestOptions {
  const isNode = role === "server" || role === "worker";
  return {
    ...{ id, name, node: node?.name ?? "", running: true, onBoot: true, mac: macOf(address) },
    kind: isNode ? "qemu" : "lxc",
    isReal: isNode,
    memoryBytes: (isNode ? 4 : 0.5) * gibibyte,
    cpus: isNode ? 2 : 1,
  };
}
