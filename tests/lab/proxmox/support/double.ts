import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ProxmoxOptions, StorageOptions } from "../../../../lab/proxmox/options.ts";
import { type Proxmox, startProxmox } from "../../../../lab/proxmox/proxmox.ts";
import { makeCertificates } from "../../../measure/tlsServer.ts";

/** A double that is up, with what a client needs to use it. */
export interface Double extends Proxmox {
  /** Path of the authority's certificate. */
  readonly authority: string;
  /** As it stands after `PVEAPIToken=`. */
  readonly token: string;
}

const gibibyte = 1024 ** 3;

/** What the token of the tests may. */
export const privileges: readonly string[] = (
  "Datastore.AllocateSpace Datastore.AllocateTemplate Datastore.Audit Pool.Allocate Pool.Audit Sys.Audit VM.Allocate " +
  "VM.Audit VM.Clone VM.Config.CDROM VM.Config.CPU VM.Config.Cloudinit VM.Config.Disk VM.Config.HWType " +
  "VM.Config.Memory VM.Config.Network VM.Config.Options VM.GuestAgent.Audit VM.PowerMgmt VM.Snapshot " +
  "VM.Snapshot.Rollback"
).split(" ");

/** Two nodes, a template 9000 with a disk of 2252 MiB on the first, and the token `triad@pve!lab`. */
export async function startDouble(options: Partial<ProxmoxOptions> = {}): Promise<Double> {
  const { folder } = makeCertificates("127.0.0.1");
  const pem = (file: string) => readFileSync(join(folder, file), "utf8");
  const secret = crypto.randomUUID();
  const storages: readonly StorageOptions[] = [
    {
      name: "local",
      type: "dir",
      content: ["iso", "snippets"],
      shared: false,
      totalBytes: 100 * gibibyte,
    },
    {
      name: "local-lvm",
      type: "lvmthin",
      content: ["images", "rootdir"],
      shared: false,
      totalBytes: 200 * gibibyte,
    },
  ];
  const node = { memoryBytes: 64 * gibibyte, cpus: 16, storages };
  const dns = { search: "home.test", servers: ["192.0.2.53"] };
  const proxmox = await startProxmox({
    nodes: [
      { ...node, name: "pve1", dns },
      { ...node, name: "pve2" },
    ],
    templates: [
      {
        ...{ id: 9000, name: "debian-12", node: "pve1", storage: "local-lvm" },
        diskBytes: 2252 * 1024 ** 2,
      },
    ],
    tokens: [{ id: "triad@pve!lab", secret, privileges }],
    tls: { key: pem("server.key"), cert: pem("server.crt") },
    ...options,
  });
  return {
    ...proxmox,
    authority: join(folder, "ca.crt"),
    token: `triad@pve!lab=${secret}`,
    close: async () => {
      await proxmox.close();
      await rm(folder, { recursive: true });
    },
  };
}
