import { z } from "zod";
import { text } from "../values/complaint.ts";
import { judgeHostKey } from "../values/hostKey.ts";
import { judgeDnsLabel, judgeDnsName } from "../values/names.ts";
import { judgeIpv4 } from "../values/network.ts";
import {
  judgeBridge,
  judgeCpuType,
  judgeImage,
  judgePackage,
  judgePool,
  judgeProxmoxEndpoint,
  judgeStorage,
  judgeTag,
} from "../values/proxmox.ts";

/** @see https://pve.proxmox.com/pve-docs/api-viewer/ for the range of `vmid` */
const vmId = z.int().min(100).max(999_999_999);

/** What may be said once for all machines, in `proxmox.defaults`, or of each. */
const shared = {
  node: text(judgeDnsLabel, "pve1")
    .exactOptional()
    .describe("Proxmox node to create it on. Required, here or in `proxmox.defaults`."),
  template: vmId
    .exactOptional()
    .describe("Number of a template to clone. It, or `image`, is required."),
  templateNode: text(judgeDnsLabel, "pve1")
    .exactOptional()
    .describe("Proxmox node that the template is on. Default: the machine's own `node`."),
  image: text(judgeImage, "local:import/noble.qcow2")
    .exactOptional()
    .describe("Volume to import the disk from, instead of cloning a template."),
  cores: z.int().min(1).max(512).exactOptional().describe("Virtual CPUs. Default: 4."),
  memoryMiB: z
    .int()
    .min(512)
    .exactOptional()
    .describe("Memory, none of it given back to the host by ballooning. Default: 8192."),
  cpuType: text(judgeCpuType, "host")
    .exactOptional()
    .describe("Type of CPU. Default: x86-64-v2-AES."),
  disk: z
    .enum(["scsi0", "virtio0", "sata0"])
    .exactOptional()
    .describe("Where the disk hangs; of a clone, where the template has it. Default: scsi0."),
  diskGiB: z
    .int()
    .min(1)
    .exactOptional()
    .describe("Size of the disk, not below that of the template. It only grows. Default: 40."),
  datastore: text(judgeStorage, "local-zfs")
    .exactOptional()
    .describe("Proxmox storage of the disk, with content images. Default: local-lvm."),
  bridge: text(judgeBridge, "vmbr1").exactOptional().describe("Bridge. Default: vmbr0."),
  vlan: z.int().min(1).max(4094).exactOptional().describe("VLAN tag. Default: none."),
  tags: z
    .array(text(judgeTag, "triad"))
    .exactOptional()
    .describe("Tags, which Proxmox shows sorted. Default: triad and the cluster's name."),
  pool: text(judgePool, "lab").exactOptional().describe("Pool. Default: none."),
};

/** Says that a machine is created, and as what. */
export const vm = z.strictObject({
  vmId: vmId.describe("Its number in the Proxmox cluster, which no other guest has."),
  ...shared,
  startOrder: z
    .int()
    .min(0)
    .exactOptional()
    .describe("When the node boots: after the guests with a lower number. Default: any."),
});

/** Where machines are created. */
export const proxmox = z.strictObject({
  endpoint: text(judgeProxmoxEndpoint, "https://pve.homelab.example:8006").describe(
    "https URL of the API, of any node. An authority of your own is made known by the variable SSL_CERT_FILE.",
  ),
  insecure: z
    .boolean()
    .default(false)
    .describe("Whether to take any certificate. Whoever stands between then gets the token."),
  hostReserveMiB: z
    .int()
    .min(0)
    .default(2048)
    .describe(
      "Memory of each node, in MiB, that is the host's own and no guest's; Proxmox asks for as much.",
    ),
  zfsCacheMiB: z
    .int()
    .min(0)
    .exactOptional()
    .describe(
      "Memory, in MiB, that ZFS's cache may take on each node (zfs_arc_max). Default: on a node with ZFS a tenth of its memory, 16384 at most, as Proxmox sets it since 8.1.",
    ),
  seedDatastore: text(judgeStorage, "local")
    .default("local")
    .describe("Proxmox storage with content iso, for the small image that cloud-init reads."),
  gateway: text(judgeIpv4, "10.0.20.1").describe(
    "IPv4 address of the machines' gateway, in their subnet.",
  ),
  prefixLength: z
    .int()
    .min(8)
    .max(30)
    .exactOptional()
    .describe("Of their subnet. Default: that of `endpoint`."),
  nameservers: z
    .array(text(judgeIpv4, "10.0.20.1"))
    .exactOptional()
    .describe("IPv4 addresses of DNS servers for them. Default: the gateway."),
  searchDomain: text(judgeDnsName, "homelab.example")
    .exactOptional()
    .describe("Domain in which they look for short names. Default: none."),
  authorizedKeys: z
    .array(text(judgeHostKey, "ssh-ed25519 AAAA…"))
    .exactOptional()
    .describe(
      "SSH public keys that may log in, type and base64. Default: the one of `ssh.privateKeyFile`.",
    ),
  checkpoints: z
    .strictObject({
      keep: z
        .int()
        .min(1)
        .max(20)
        .default(2)
        .describe(
          "How many of each machine are kept; older ones of Triad's are deleted. With 1 a second attempt at a change takes the place of what was before the first.",
        ),
      existing: z
        .record(z.string(), vmId)
        .prefault({})
        .describe(
          "Numbers of servers that are virtual machines there, though Triad did not create them, by name.",
        ),
    })
    .exactOptional()
    .describe(
      "Given, Proxmox keeps the disks of each server that is a virtual machine as they are, before the control plane is changed; `make rollback` goes back to them. Default: no checkpoints.",
    ),
  packages: z
    .array(text(judgePackage, "qemu-guest-agent"))
    .prefault([])
    .describe("Packages that cloud-init installs; best left to the template."),
  defaults: z
    .strictObject(shared)
    .prefault({})
    .describe("What holds for every machine that does not say otherwise."),
});
