import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { exec } from "../machines/machine.ts";
import { eventually } from "../measure/eventually.ts";
import { statePaths } from "../paths.ts";
import type { LabMachine, Topology } from "../topology.ts";

/** What runs on every machine and must never notice the change (k3s/resident.yaml). */
const resident = "resident";

const schema = z.record(z.string(), z.string());

/** The agents that shall be servers. */
export function promotedMachines(topology: Topology): readonly LabMachine[] {
  return topology.machines.filter(({ role, before }) => role === "server" && before === "worker");
}

/** Writes down which containers run on machines that are agents and shall be servers. */
export async function rememberResidents(topology: Topology): Promise<void> {
  const found: Record<string, string> = {};
  for (const { name } of promotedMachines(topology)) {
    await eventually(60, async () => {
      found[name] = await residentsOf(topology, name);
      return found[name] === "" ? `${name}: no container ${resident} runs` : undefined;
    });
  }
  await writeFile(statePaths.residents, JSON.stringify(found));
}

/** What {@link rememberResidents} has written down, by machine. */
export async function residentsBefore(): Promise<Readonly<Record<string, string>>> {
  return schema.parse(JSON.parse(await readFile(statePaths.residents, "utf8")));
}

/** The resident's containers on one machine with the number of their process: another start has others. */
export async function residentsOf(topology: Topology, machine: string): Promise<string> {
  const ctr = `ctr --address ${topology.distribution.containerd.socket} --namespace k8s.io`;
  const ids = `${ctr} containers list --quiet 'labels."io.kubernetes.container.name"==${resident}'`;
  const running = `${ctr} tasks list | awk '$3 == "RUNNING" {print $1, $2}'`;
  const script = `${running} | grep --fixed-strings "$(${ids})" | sort`;
  return (await exec(machine, ["bash", "-c", script])).stdout.trim();
}
