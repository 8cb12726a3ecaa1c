import type { GuestFacts, ProxmoxFacts } from "../../../observe/proxmox/facts.ts";
import type { Rights } from "../../../proxmox/rights.ts";

/** GiB in MiB. */
export const gib = (count: number): number => count * 1024;

/** A running virtual machine with 4 cores. */
export function guest(
  vmId: number,
  name: string,
  memoryMiB: number,
  more: Partial<GuestFacts> = {},
): GuestFacts {
  return {
    vmId,
    name,
    node: "pve1",
    kind: "qemu",
    isTemplate: false,
    isRunning: true,
    onBoot: true,
    memoryMiB,
    cores: 4,
    ...more,
  };
}

/** Template 9000 on pve1. */
export const template = guest(9000, "ubuntu", gib(2), {
  isTemplate: true,
  isRunning: false,
  onBoot: false,
});

const all = [
  ...["VM.Allocate", "VM.Audit", "VM.Clone", "VM.PowerMgmt"],
  ...["CDROM", "CPU", "Disk", "HWType", "Memory", "Network", "Options"].map(
    (what) => `VM.Config.${what}`,
  ),
  ...[
    "Datastore.Allocate",
    "Datastore.AllocateSpace",
    "Datastore.AllocateTemplate",
    "Datastore.Audit",
    "SDN.Use",
    "Sys.Audit",
  ],
];

/** Of a token that may do all that Triad asks for, except these. */
export function rightsWithout(...lacking: readonly string[]): Rights {
  const own = Object.fromEntries(
    all.filter((right) => !lacking.includes(right)).map((right) => [right, true]),
  );
  return { "/": own, "/vms": own, "/storage": own, "/nodes": own, "/sdn": own };
}

/** A Proxmox cluster of one node with 64 GiB, 16 CPUs, two storages and a template. */
export function sampleFacts(changes: Partial<ProxmoxFacts> = {}): ProxmoxFacts {
  const storage = { node: "pve1", isActive: true, isShared: false };
  return {
    nodes: [{ name: "pve1", online: true, memoryMiB: gib(64), cpus: 16 }],
    guests: [template],
    storages: [
      { ...storage, name: "local", type: "dir", content: ["iso", "import"], freeGiB: 50 },
      { ...storage, name: "local-lvm", type: "lvmthin", content: ["images"], freeGiB: 500 },
    ],
    templates: [{ vmId: 9000, disks: { scsi0: 3.5 }, cloudInitDrives: ["ide2"] }],
    images: [],
    rights: rightsWithout(),
    ...changes,
  };
}
