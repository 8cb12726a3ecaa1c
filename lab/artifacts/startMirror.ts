import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { namespacePath } from "../machines/network.ts";
import { must } from "../machines/shell.ts";
import { projectFolder, statePaths } from "../paths.ts";
import type { Topology } from "../topology.ts";
import type { Artifacts } from "./artifacts.ts";

/** Starts the mirror in the lab's namespace and waits until it can be reached. */
export async function startMirror(topology: Topology, artifacts: Artifacts): Promise<void> {
  const log = await open(statePaths.mirrorLog, "a");
  const address = [topology.operatorAddress, String(topology.mirrorPort)];
  const script = join(projectFolder, "lab", "artifacts", "mirror.ts");
  const folders = Object.entries(artifacts.files).map(([path, folder]) => `${path}=${folder}`);
  const node = [process.execPath, script, ...address, artifacts.images, ...folders];
  const namespace = `--net=${namespacePath(topology.namespace)}`;
  try {
    const child = spawn("nsenter", [namespace, ...node], {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      cwd: projectFolder,
    });
    child.unref();
  } finally {
    await log.close();
  }
  const probe = `until (exec 3<>/dev/tcp/${address.join("/")}) 2>/dev/null; do sleep 0.1; done`;
  await must(["nsenter", namespace, "timeout", "20", "bash", "-c", probe]);
}
