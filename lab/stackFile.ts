import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { hostKeyOf } from "./machines/keys.ts";
import { must } from "./machines/shell.ts";
import { operatorEnvironment } from "./operatorEnvironment.ts";
import { projectFolder, statePaths } from "./paths.ts";
import type { Topology } from "./topology.ts";

/** The stack file of a lab, in the project folder, where git ignores it. */
export function stackFileOf(topology: Topology): string {
  return join(projectFolder, `Pulumi.${topology.stack}.yaml`);
}

/**
 * Makes the lab's stack anew, in a backend of its own: the stack file from its tracked template, with
 * the host keys and the path of the key of this very lab, and, where there is DNS to update, the TSIG secret encrypted by Pulumi.
 */
export async function createStack(topology: Topology): Promise<void> {
  for (const folder of [statePaths.pulumiBackend, statePaths.pulumiHome]) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  const hasDns = await writeStackFile(topology);
  const pulumi = async (args: readonly string[], input?: string): Promise<void> => {
    await must(["pulumi", ...args, "--non-interactive"], {
      cwd: projectFolder,
      env: await operatorEnvironment(topology),
      ...(input === undefined ? {} : { input }),
    });
  };
  await pulumi(["stack", "init", topology.stack, "--secrets-provider=passphrase"]);
  if (!hasDns) return;
  const secret = (await readFile(statePaths.tsigSecret, "utf8")).trim();
  await pulumi(["config", "set", "--secret", "triad:dnsTsigSecret"], secret);
}

/** Removes the lab's stack file: without its passphrase nobody can use it any more. */
export async function removeStackFile(topology: Topology): Promise<void> {
  await rm(stackFileOf(topology), { force: true });
}

/** Tells whether Triad is to update a DNS server in this home. */
async function writeStackFile(topology: Topology): Promise<boolean> {
  const template = join(projectFolder, "lab", "stacks", `${topology.stack}.yaml`);
  const document = parseDocument(await readFile(template, "utf8"));
  for (const { name, role } of topology.machines) {
    if (role === "dns") continue;
    document.setIn(["config", "triad:machines", name, "hostKey"], await hostKeyOf(name));
  }
  document.setIn(["config", "triad:ssh", "privateKeyFile"], statePaths.sshKey);
  await writeFile(stackFileOf(topology), document.toString({ lineWidth: 0 }));
  return document.hasIn(["config", "triad:dns"]);
}
