/** A virtual machine that Triad creates on Proxmox VE, with the defaults of `proxmox.defaults` filled in. */
export interface VmConfig {
  /** Its number in the Proxmox cluster, which no other guest has. */
  readonly vmId: number;
  /** Name of the Proxmox node that it is created on. */
  readonly node: string;
  /** The disk that it begins with. */
  readonly source: VmSource;
  /** Virtual CPUs. */
  readonly cores: number;
  /** Memory in MiB, all of it its own: there is no ballooning. */
  readonly memoryMiB: number;
  /** As Proxmox names it, for instance `x86-64-v2-AES` or `host`. */
  readonly cpuType: string;
  readonly disk: VmDisk;
  /** Of the Proxmox node, for instance vmbr0. */
  readonly bridge: string;
  /** Absent: untagged. */
  readonly vlan?: number;
  /** Small letters, sorted. */
  readonly tags: readonly string[];
  readonly pool?: string;
  /** Among the node's guests when it boots. Absent: any. */
  readonly startOrder?: number;
}

/** A template that is cloned, or an image that is imported. */
export type VmSource =
  | {
      readonly kind: "template";
      readonly vmId: number;
      /** The node that the template is on. */
      readonly node: string;
    }
  /** A volume such as `local:import/noble.qcow2`. */
  | { readonly kind: "image"; readonly volume: string };

/** The one disk. */
export interface VmDisk {
  /** Where it hangs, in a clone where the template has its own: scsi0, virtio0 or sata0. */
  readonly interface: string;
  /** In GiB; the template's grows to it. */
  readonly sizeGiB: number;
  /** Name of a Proxmox storage with content `images`. */
  readonly datastore: string;
}

/** The network that virtual machines are in, beside their own addresses. */
export interface VmNetwork {
  readonly prefixLength: number;
  /** IPv4 address. */
  readonly gateway: string;
  /** IPv4 addresses. Default: the gateway. */
  readonly nameservers: readonly string[];
  readonly searchDomain?: string;
}

/** Checkpoints of servers, which Proxmox takes before the control plane is changed. */
export interface CheckpointsConfig {
  /** How many of each machine, at least one. Default: 2. */
  readonly keep: number;
  /** Numbers of machines that are at Proxmox and were not created by Triad, by name. */
  readonly existing: Readonly<Record<string, number>>;
}

/** The Proxmox VE cluster that virtual machines are created on. Its token is not in here. */
export interface ProxmoxConfig {
  /** https URL of the API on any of its nodes, without a path. */
  readonly endpoint: string;
  /** Whether a certificate of nobody knows whom will do. Default: false. */
  readonly insecure: boolean;
  /** Memory of each node that no guest may have, in MiB. Default: 2048. */
  readonly hostReserveMiB: number;
  /** Memory that ZFS may take on each node, in MiB. Absent: guessed where a node has ZFS. */
  readonly zfsCacheMiB?: number;
  /** Name of a storage with content `iso`, for what cloud-init reads. Default: local. */
  readonly seedDatastore: string;
  readonly network: VmNetwork;
  /** OpenSSH public keys that are let in. Absent: the one that belongs to `ssh.privateKeyFile`. */
  readonly authorizedKeys?: readonly string[];
  /** What cloud-init installs; none where the template has all. */
  readonly packages: readonly string[];
  /** Absent: none are taken. */
  readonly checkpoints?: CheckpointsConfig;
}
