import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { imageNames } from "../artifacts/images.ts";
import { exec } from "../machines/machine.ts";
import { projectFolder } from "../paths.ts";
import type { LabMachine, Topology } from "../topology.ts";
import { workload } from "./workload/workload.ts";

/** kubectl on a server, as its owner uses it. */
export function kubectlOn(topology: Topology): string[] {
  return ["kubectl", `--kubeconfig=${topology.distribution.adminKubeconfig}`];
}

/** The lab's mirror of artifacts and images. */
export function mirrorOf({ operatorAddress, mirrorPort }: Topology): string {
  return `http://${operatorAddress}:${String(mirrorPort)}`;
}

/**
 * Runs a command as root on a machine, and gives what it printed.
 * @throws Error with what it said when it fails.
 */
export async function mustExec(
  machine: LabMachine,
  argv: readonly string[],
  input?: string,
): Promise<string> {
  const result = await exec(machine.name, argv, input === undefined ? {} : { input });
  if (result.exitCode === 0) return result.stdout;
  const said = `${result.stdout}\n${result.stderr}`.trim();
  throw new Error(
    `${machine.name}: \`${argv.join(" ")}\` ended with ${String(result.exitCode)}:\n${said}`,
  );
}

/** Applies manifests as the owner of the home. */
export async function apply(
  topology: Topology,
  server: LabMachine,
  manifests: string,
): Promise<void> {
  await mustExec(server, [...kubectlOn(topology), "apply", "-f", "-"], manifests);
}

/** A file of this folder, with its @NAMES@ replaced by what they are in this home. */
export async function recipe(
  file: string,
  topology: Topology,
  server: LabMachine,
): Promise<string> {
  const text = await readFile(join(projectFolder, "lab", "before", file), "utf8");
  const values: Readonly<Record<string, string>> = {
    SERVER_ADDRESS: server.address,
    VERSION: topology.version,
    MIRROR: mirrorOf(topology),
    POD_CIDR: topology.podCidr,
    SERVICE_CIDR: topology.serviceCidr,
    FLANNEL_IMAGE: imageNames.flannel,
    FLANNEL_CNI_IMAGE: imageNames.flannelCni,
    PROBER_IMAGE: imageNames.prober,
    WORKLOAD_ANSWER: workload.answer,
  };
  return text.replace(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole);
}

/** Machines as a person lists them. */
export function namesOf(machines: readonly LabMachine[]): string {
  return machines.map(({ name }) => name).join(", ");
}
