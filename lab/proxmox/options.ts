import type { Hypervisor } from "./hypervisor.ts";

/** What a double of Proxmox is made of. */
export interface ProxmoxOptions {
  readonly nodes: readonly NodeOptions[];
  /** VMs to clone from; default none. */
  readonly templates?: readonly TemplateOptions[];
  /** VMs and containers that are there from the start, and mostly take their share alone; default none. */
  readonly guests?: readonly GuestOptions[];
  readonly pools?: readonly string[];
  readonly tokens: readonly TokenOptions[];
  /** What makes a VM real; by default nothing does, and VMs live in memory. */
  readonly hypervisor?: Hypervisor;
  /** How long a task takes beside what the hypervisor needs, in milliseconds; default 20. */
  readonly taskMs?: number;
  /** The certificate to answer with, as PEM. */
  readonly tls: { readonly key: string; readonly cert: string };
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** Default a free one. */
  readonly port?: number;
}

export interface NodeOptions {
  readonly name: string;
  readonly memoryBytes: number;
  /** Threads. */
  readonly cpus: number;
  /** What the node needs for itself, with the file system's cache; default none. */
  readonly reservedBytes?: number;
  /** The node's own resolver, which a VM gets that has none configured. */
  readonly dns?: { readonly search: string; readonly servers: readonly string[] };
  readonly storages: readonly StorageOptions[];
}

export interface StorageOptions {
  readonly name: string;
  /** Decides what volumes are called, and what is said when there is no space. */
  readonly type: "dir" | "nfs" | "lvmthin" | "zfspool" | "rbd";
  readonly content: readonly ("images" | "rootdir" | "iso" | "snippets" | "import" | "vztmpl")[];
  readonly totalBytes: number;
  /** Taken by what the double does not know of; default none. */
  readonly usedBytes?: number;
  /** One storage for all nodes that name it. */
  readonly shared: boolean;
  /** Files that lie there, by their volume's name such as `snippets/users.yaml`. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface TemplateOptions {
  readonly id: number;
  readonly name: string;
  readonly node: string;
  /** Where its disk and its cloud-init drive lie. */
  readonly storage: string;
  readonly diskBytes: number;
  /** Further keys of its configuration, or others than usual. */
  readonly config?: Readonly<Record<string, string | number>>;
}

export interface GuestOptions {
  readonly id: number;
  readonly kind: "qemu" | "lxc";
  readonly name: string;
  readonly node: string;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly running: boolean;
  readonly onBoot: boolean;
  /** Hardware address of its network card; of VMs alone, default none is shown. */
  readonly mac?: string;
  /** Whether the hypervisor knows it, so that it can be stopped, started and kept; of VMs alone, default no. */
  readonly isReal?: boolean;
}

export interface TokenOptions {
  /** Such as `triad@pve!lab`. */
  readonly id: string;
  readonly secret: string;
  /** Everywhere; or by path such as `/vms/100` or `/storage/local`, where the longest path decides. */
  readonly privileges: readonly string[] | Readonly<Record<string, readonly string[]>>;
}
