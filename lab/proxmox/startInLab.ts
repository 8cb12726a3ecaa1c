import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { namespacePath } from "../machines/network.ts";
import { must, run } from "../machines/shell.ts";
import { projectFolder, statePaths } from "../paths.ts";
import { progress } from "../progress.ts";
import type { Topology } from "../topology.ts";
import { makeTemplateDisk } from "./templateDisk.ts";

/**
 * Starts the lab's double of Proxmox in the background, inside the lab's namespace, and waits until it can be reached. It
 * ends with the lab. Does nothing in a home without Proxmox.
 * @throws Error with what it said when it does not come up
 */
export async function startInLab(topology: Topology, image: string): Promise<void> {
  const { proxmox, operatorAddress } = topology;
  if (proxmox === undefined) return;
  progress(`starting Proxmox with ${String(proxmox.nodes.length)} nodes`);
  const layers = await makeTemplateDisk(image);
  const script = join(projectFolder, "lab", "proxmox", "serve.ts");
  const namespace = `--net=${namespacePath(topology.namespace)}`;
  const log = await open(statePaths.proxmox.log, "a");
  try {
    const argv = [namespace, process.execPath, script, topology.stack, ...layers];
    const child = spawn("nsenter", argv, {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      cwd: projectFolder,
    });
    child.unref();
  } finally {
    await log.close();
  }
  const { pid } = statePaths.proxmox;
  const address = `${operatorAddress}/${String(proxmox.port)}`;
  // It writes its number last.
  const probe = `until [ -s ${pid} ] && (exec 3<>/dev/tcp/${address}) 2>/dev/null; do sleep 0.1; done`;
  const found = await run(["nsenter", namespace, "timeout", "30", "bash", "-c", probe]);
  if (found.exitCode === 0) return;
  const said = await must(["tail", "-n", "20", statePaths.proxmox.log]);
  throw new Error(`Proxmox's double does not answer at ${address}:\n${said}`);
}
