import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { statePaths } from "../paths.ts";
import { mintProxmox } from "../proxmox/mintProxmox.ts";
import { existingMachines, type Topology } from "../topology.ts";
import { must } from "./shell.ts";
import { writeSecret } from "./writeSecret.ts";

/** Mints what only this lab knows: the operator's key, the machines' host keys, the TSIG secret. */
export async function mintKeys(topology: Topology): Promise<void> {
  await mintSshKey(statePaths.sshKey, "ops@homelab");
  await Promise.all(existingMachines(topology).map(({ name }) => mintHostKey(name)));
  await writeSecret(statePaths.tsigSecret, randomBytes(32).toString("base64"));
  await writeSecret(statePaths.passphrase, randomBytes(24).toString("base64url"));
  if (topology.proxmox !== undefined) await mintProxmox(topology.operatorAddress);
}

/** Mints a machine's host key, another one than it may have had. */
export async function mintHostKey(machine: string): Promise<void> {
  const path = statePaths.hostKey(machine);
  for (const file of [path, `${path}.pub`]) await rm(file, { force: true });
  await mintSshKey(path, `root@${machine}`);
}

/** A machine's host key as it stands in a stack file: type and key, without comment. */
export async function hostKeyOf(machine: string): Promise<string> {
  const line = await readFile(`${statePaths.hostKey(machine)}.pub`, "utf8");
  return line.split(" ").slice(0, 2).join(" ").trim();
}

async function mintSshKey(path: string, comment: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path]);
}
