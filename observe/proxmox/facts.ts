import type { Rights } from "../../proxmox/rights.ts";

/** A node of the Proxmox cluster. */
export interface NodeFacts {
  readonly name: string;
  readonly online: boolean;
  /** Absent where the token may not see it. */
  readonly memoryMiB?: number;
  readonly cpus?: number;
}

/** A virtual machine or a container. */
export interface GuestFacts {
  readonly vmId: number;
  readonly name: string;
  readonly node: string;
  readonly kind: "qemu" | "lxc";
  readonly isTemplate: boolean;
  readonly isRunning: boolean;
  /** Whether it starts when its node does; asked of those that do not run. */
  readonly onBoot: boolean;
  readonly memoryMiB: number;
  readonly cores: number;
  /** The serial number that it shows to its system; asked of the plan's own machines. */
  readonly serial?: string;
}

/** A storage as one node has it. */
export interface StorageFacts {
  readonly name: string;
  readonly node: string;
  readonly isActive: boolean;
  readonly isShared: boolean;
  /** As Proxmox names it: dir, lvmthin, zfspool, … */
  readonly type: string;
  /** What may lie there: images, iso, import, … */
  readonly content: readonly string[];
  readonly freeGiB: number;
}

/** What a template has that a clone begins with. */
export interface TemplateFacts {
  readonly vmId: number;
  /** GiB by interface; drives for CDs left out. */
  readonly disks: Readonly<Record<string, number>>;
  /** Interfaces of drives that Proxmox makes for cloud-init. */
  readonly cloudInitDrives: readonly string[];
}

/** One look at a Proxmox cluster. */
export interface ProxmoxFacts {
  readonly nodes: readonly NodeFacts[];
  readonly guests: readonly GuestFacts[];
  readonly storages: readonly StorageFacts[];
  /** Of the plan's templates, those that are there. */
  readonly templates: readonly TemplateFacts[];
  /** Of the plan's images, those that are there, by node: `pve1 local:import/noble.qcow2`. */
  readonly images: readonly string[];
  readonly rights: Rights;
}
