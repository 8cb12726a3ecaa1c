import { writeFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import { exec } from "./machines/machine.ts";
import { statePaths } from "./paths.ts";
import { machinesWith, type Topology } from "./topology.ts";

/**
 * Writes the administrator's kubeconfig, which goes through the endpoint's numeric address, to the
 * lab's state, readable by its owner only, and the cluster's authority beside it. It serves from the moment that the
 * endpoint does.
 * @returns whether a server that is on had one to take.
 */
export async function writeKubeconfig(topology: Topology): Promise<boolean> {
  for (const { name } of machinesWith(topology, "server")) {
    const { stdout, exitCode } = await exec(name, ["cat", topology.distribution.adminKubeconfig], {
      timeoutMs: 5_000,
    });
    if (exitCode !== 0) continue;
    const document = parseDocument(stdout);
    const { address, port } = topology.endpoint;
    document.setIn(["clusters", 0, "cluster", "server"], `https://${address}:${String(port)}`);
    await writeFile(statePaths.kubeconfig, document.toString({ lineWidth: 0 }), { mode: 0o600 });
    const ca = document.getIn(["clusters", 0, "cluster", "certificate-authority-data"]);
    await writeFile(statePaths.clusterCa, Buffer.from(String(ca), "base64"));
    return true;
  }
  return false;
}
