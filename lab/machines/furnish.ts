import { createHash } from "node:crypto";
import { chmod, chown, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dnsServerFiles } from "../dns/bind.ts";
import { statePaths } from "../paths.ts";
import type { LabMachine, Topology } from "../topology.ts";
import { resolvConf } from "./network.ts";

/** A file to be put on a machine's disk before it boots. */
export interface DiskFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  /** User and group by name. Default root. */
  readonly owner?: string;
  readonly group?: string;
}

/** Writes what makes a disk this machine's: its name, its keys, its resolver, its services. */
export async function furnish(
  topology: Topology,
  machine: LabMachine,
  root: string,
): Promise<void> {
  const files = [...(await commonFiles(topology, machine))];
  if (machine.role === "dns") files.push(...(await dnsServerFiles(topology)));
  for (const file of files) await writeDiskFile(root, file);
  for (const service of topology.distribution.services[machine.role]) {
    const link = join(root, "etc/systemd/system/multi-user.target.wants", `${service}.service`);
    await mkdir(dirname(link), { recursive: true });
    await rm(link, { force: true });
    await symlink(`/lib/systemd/system/${service}.service`, link);
  }
}

async function commonFiles(topology: Topology, machine: LabMachine): Promise<DiskFile[]> {
  const { name, address } = machine;
  const machineId = createHash("sha256").update(`${topology.stack}/${name}`).digest("hex");
  const hostKey = statePaths.hostKey(name);
  const hosts = [
    "127.0.0.1 localhost",
    "::1 localhost ip6-localhost ip6-loopback",
    `${address} ${name}.${topology.domain} ${name}`,
  ];
  return [
    { path: "/etc/hostname", content: `${name}\n`, mode: 0o644 },
    { path: "/etc/machine-id", content: `${machineId.slice(0, 32)}\n`, mode: 0o444 },
    { path: "/etc/hosts", content: `${hosts.join("\n")}\n`, mode: 0o644 },
    { path: "/etc/resolv.conf", content: resolvConf(topology), mode: 0o644 },
    {
      path: "/etc/ssh/ssh_host_ed25519_key",
      content: await readFile(hostKey, "utf8"),
      mode: 0o600,
    },
    {
      path: "/etc/ssh/ssh_host_ed25519_key.pub",
      content: await readFile(`${hostKey}.pub`, "utf8"),
      mode: 0o644,
    },
    {
      path: "/home/ops/.ssh/authorized_keys",
      content: await readFile(`${statePaths.sshKey}.pub`, "utf8"),
      mode: 0o600,
      owner: "ops",
      group: "ops",
    },
  ];
}

async function writeDiskFile(root: string, file: DiskFile): Promise<void> {
  const path = join(root, file.path);
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await writeFile(path, file.content, { mode: file.mode });
  await chmod(path, file.mode);
  await chown(
    path,
    await idOf(root, "passwd", file.owner ?? "root"),
    await idOf(root, "group", file.group ?? "root"),
  );
}

/** The number of a user or group of the machine, which knows others than the computer does. */
async function idOf(root: string, table: "passwd" | "group", name: string): Promise<number> {
  const lines = (await readFile(join(root, "etc", table), "utf8")).split("\n");
  const fields = lines.map((line) => line.split(":")).find(([first]) => first === name);
  const id = fields?.[2];
  if (id === undefined) throw new Error(`/etc/${table} of the machine image has no ${name}`);
  return Number(id);
}
