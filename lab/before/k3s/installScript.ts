import type { LabMachine } from "../../topology.ts";
import { mustExec } from "../byHand.ts";

/** How the document installs a server. */
export const serverArguments = [
  "server",
  "--disable=servicelb",
  "--write-kubeconfig-mode=644",
] as const;

/**
 * Runs k3s' install script, with what prepare.sh has fetched.
 * @param environment K3S_URL and K3S_TOKEN for an agent; goes the way of standard input, since a token is in it
 */
export async function runInstallScript(
  machine: LabMachine,
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<void> {
  const settings = Object.entries({ ...environment, INSTALL_K3S_SKIP_DOWNLOAD: "true" });
  const script = [
    ...settings.map(([name, value]) => `export ${name}='${value}'`),
    `exec sh /root/install-k3s.sh ${args.join(" ")}`,
  ];
  await mustExec(machine, ["timeout", "300", "bash", "-s"], script.join("\n"));
}
