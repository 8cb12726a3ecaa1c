import { delimiter } from "node:path";
import { toolchainEnvironment } from "../tools/toolchain/environment.ts";
import { currentLab } from "./currentLab.ts";
import { statePaths } from "./paths.ts";
import type { Topology } from "./topology.ts";

/**
 * What the operator of the lab has in the environment, to run `pulumi` and `kubectl` by hand in the
 * project folder and inside the lab's network namespace. No secret is in it, only paths to some.
 */
export async function operatorEnvironment(topology: Topology): Promise<Record<string, string>> {
  const toolchain = toolchainEnvironment();
  const { programs } = await currentLab();
  return {
    ...toolchain,
    PATH: [toolchain["PATH"] ?? "", programs].join(delimiter),
    TRIAD_LAB_NETNS: topology.namespace,
    TRIAD_LAB_ENDPOINT: `${topology.endpoint.address}:${String(topology.endpoint.port)}`,
    TRIAD_LAB_SSH_KEY: statePaths.sshKey,
    KUBECONFIG: statePaths.kubeconfig,
    PULUMI_STACK: topology.stack,
    PULUMI_BACKEND_URL: `file://${statePaths.pulumiBackend}`,
    PULUMI_HOME: statePaths.pulumiHome,
    PULUMI_CONFIG_PASSPHRASE_FILE: statePaths.passphrase,
    ...(topology.proxmox === undefined ? {} : proxmoxEnvironment(topology)),
  };
}

/** The authority of Proxmox's certificate; and no proxy leads to it. */
function proxmoxEnvironment({ operatorAddress }: Topology): Record<string, string> {
  const others = process.env["NO_PROXY"] ?? process.env["no_proxy"];
  return {
    SSL_CERT_FILE: statePaths.proxmox.authority,
    NO_PROXY: [...(others === undefined ? [] : [others]), operatorAddress].join(","),
  };
}
