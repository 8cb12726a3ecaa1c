import { parse } from "yaml";
import { z } from "zod";
import { markers, markerText } from "../../before/k3s/markers.ts";
import { promotedMachines, residentsBefore, residentsOf } from "../../before/remembered.ts";
import { exec } from "../../machines/machine.ts";
import { machinesWith, type Topology } from "../../topology.ts";
import { isEndpoint, type Promised } from "./promised.ts";

/** What has to be true of k3s' cluster besides. */
export const k3sPromises: readonly Promised[] = [
  { sentence: "the agents were given the endpoint", look: agentsUseEndpoint },
  { sentence: "no agent's unit is left on a server", look: unitsAreSwapped },
  { sentence: "promoted machines kept the data on their own disks", look: markersAreThere },
  { sentence: "what ran on promoted machines ran on", look: residentsRanOn },
  {
    sentence: "the servers' configuration is equal but for what is each one's own",
    look: equalConfig,
  },
];

async function agentsUseEndpoint(topology: Topology): Promise<string | undefined> {
  for (const { name } of machinesWith(topology, "worker")) {
    const file = "/etc/systemd/system/k3s-agent.service.env";
    const { stdout } = await exec(name, ["cat", file]);
    const url = /^K3S_URL=["']?([^"'\n]*)/m.exec(stdout)?.[1] ?? "nobody";
    if (!isEndpoint(topology, url)) return `${name} joins by ${url}`;
    const { exitCode } = await exec(name, ["systemctl", "is-active", "--quiet", "k3s-agent"]);
    if (exitCode !== 0) return `${name}: k3s-agent does not run`;
  }
  return undefined;
}

async function unitsAreSwapped(topology: Topology): Promise<string | undefined> {
  for (const { name } of machinesWith(topology, "server")) {
    const agent = "/etc/systemd/system/k3s-agent.service";
    const script = `systemctl is-active --quiet k3s && ! test -e ${agent}`;
    if ((await exec(name, ["sh", "-c", script])).exitCode !== 0) return `not so on ${name}`;
  }
  return undefined;
}

async function markersAreThere(topology: Topology): Promise<string | undefined> {
  for (const { name } of promotedMachines(topology)) {
    for (const path of markers) {
      const { stdout, stderr } = await exec(name, ["cat", path]);
      if (stdout !== markerText) return `${path} on ${name}: ${stdout}${stderr}`;
    }
  }
  return undefined;
}

async function residentsRanOn(topology: Topology): Promise<string | undefined> {
  for (const [name, before] of Object.entries(await residentsBefore())) {
    const now = await residentsOf(topology, name);
    if (now !== before) return `${name} ran ${before}, and runs ${now || "nothing"}`;
  }
  return undefined;
}

/** Keys that tell one machine from another, or who began. */
const ownKeys = ["node-ip", "node-name", "node-external-ip", "server", "cluster-init"];

async function equalConfig(topology: Topology): Promise<string | undefined> {
  const texts = new Map<string, string[]>();
  for (const { name } of machinesWith(topology, "server")) {
    const file = "/etc/rancher/k3s/config.yaml.d/50-triad.yaml";
    const { stdout, exitCode } = await exec(name, ["cat", file]);
    if (exitCode !== 0) return `${name} has no ${file}`;
    const values = z.record(z.string(), z.unknown()).parse(parse(stdout));
    const shared = Object.entries(values).filter(([key]) => !ownKeys.includes(key));
    const text = JSON.stringify(shared.sort(([one], [other]) => (one < other ? -1 : 1)));
    texts.set(text, [...(texts.get(text) ?? []), name]);
  }
  if (texts.size === 1) return undefined;
  return [...texts].map(([text, names]) => `${names.join(", ")}: ${text}`).join("; ");
}
