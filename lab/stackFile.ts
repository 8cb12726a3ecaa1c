import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument, type Document } from "yaml";
import { hostKeyOf as madeHostKey } from "../seed/hostKey.ts";
import { hostKeyOf } from "./machines/keys.ts";
import { must } from "./machines/shell.ts";
import { operatorEnvironment } from "./operatorEnvironment.ts";
import { projectFolder, statePaths } from "./paths.ts";
import { tokenId } from "./proxmox/mintProxmox.ts";
import type { LabMachine, Topology } from "./topology.ts";

/** The stack file of a lab, in the project folder, where git ignores it. */
export function stackFileOf(topology: Topology): string {
  return join(projectFolder, `Pulumi.${topology.stack}.yaml`);
}

/**
 * Makes the lab's stack anew, in a backend of its own: the stack file from its tracked template, with
 * the host keys and the path of the key of this very lab, and the secrets that the home needs encrypted by Pulumi: of
 * DNS updates, of Proxmox.
 */
export async function createStack(topology: Topology): Promise<void> {
  for (const folder of [statePaths.pulumiBackend, statePaths.pulumiHome]) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  const document = await writeStackFile(topology);
  const pulumi = async (args: readonly string[], input?: string): Promise<void> => {
    await must(["pulumi", ...args, "--non-interactive"], {
      cwd: projectFolder,
      env: await operatorEnvironment(topology),
      ...(input === undefined ? {} : { input }),
    });
  };
  await pulumi(["stack", "init", topology.stack, "--secrets-provider=passphrase"]);
  for (const [key, secret] of Object.entries(await secretsOf(topology, document))) {
    await pulumi(["config", "set", "--secret", `triad:${key}`], secret);
  }
}

/** Removes the lab's stack file: without its passphrase nobody can use it any more. */
export async function removeStackFile(topology: Topology): Promise<void> {
  await rm(stackFileOf(topology), { force: true });
}

async function writeStackFile(topology: Topology): Promise<Document> {
  const template = join(projectFolder, "lab", "stacks", `${topology.stack}.yaml`);
  const document = parseDocument(await readFile(template, "utf8"));
  const cluster = String(document.getIn(["config", "triad:name"]));
  for (const machine of topology.machines) {
    if (machine.role === "dns" || machine.isForeign === true) continue;
    const path = ["config", "triad:machines", machine.name, "hostKey"];
    document.setIn(path, await pinnedKey(machine, cluster));
  }
  document.setIn(["config", "triad:ssh", "privateKeyFile"], statePaths.sshKey);
  await writeFile(stackFileOf(topology), document.toString({ lineWidth: 0 }));
  return document;
}

async function pinnedKey({ name, isCreated }: LabMachine, cluster: string): Promise<string> {
  return isCreated === true ? await keyOfCreated(name, cluster) : await hostKeyOf(name);
}

/** The host key that a machine of this lab has once it is created, as it stands in a stack file. */
export async function keyOfCreated(machine: string, cluster: string): Promise<string> {
  const seed = await secretIn(statePaths.proxmox.hostKeySeed);
  return madeHostKey(seed, { cluster, machine }).public;
}

async function secretsOf(
  { proxmox }: Topology,
  document: Document,
): Promise<Readonly<Record<string, string>>> {
  return {
    ...(document.hasIn(["config", "triad:dns"])
      ? { dnsTsigSecret: await secretIn(statePaths.tsigSecret) }
      : {}),
    ...(proxmox === undefined ? {} : await proxmoxSecrets()),
  };
}

/** What Triad needs to create machines in this lab, by the keys of the config. */
export async function proxmoxSecrets(): Promise<Readonly<Record<string, string>>> {
  const { token, hostKeySeed } = statePaths.proxmox;
  return {
    proxmoxToken: `${tokenId}=${await secretIn(token)}`,
    hostKeySeed: await secretIn(hostKeySeed),
  };
}

async function secretIn(file: string): Promise<string> {
  return (await readFile(file, "utf8")).trim();
}
