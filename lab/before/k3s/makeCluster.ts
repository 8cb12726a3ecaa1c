import { progress } from "../../progress.ts";
import type { LabMachine, Topology } from "../../topology.ts";
import type { ByHand } from "../beforeState.ts";
import { apply, mirrorOf, mustExec, namesOf, recipe } from "../byHand.ts";
import { runInstallScript, serverArguments } from "./installScript.ts";
import { markers, markerText } from "./markers.ts";

/** The way of the homelab's document: one server on SQLite by the install script, agents that were given its URL. */
export const k3sByHand: ByHand = {
  recipes: ["k3s/prepare.sh", "k3s/installScript.ts", "k3s/resident.yaml", "k3s/markers.ts"],
  make,
  parts: [
    ["kube-system", "deployment/coredns"],
    ["home", "daemonset/resident"],
  ],
};

async function make(
  topology: Topology,
  server: LabMachine,
  agents: readonly LabMachine[],
): Promise<void> {
  const machines = [server, ...agents];
  progress(`fetching k3s ${topology.version} on ${namesOf(machines)} by hand`);
  const prepare = await recipe("k3s/prepare.sh", topology, server);
  const values = [topology.version, mirrorOf(topology)];
  await Promise.all(
    machines.map((machine) => mustExec(machine, ["bash", "-s", ...values], prepare)),
  );
  progress(`the install script on ${server.name}`);
  await runInstallScript(server, {}, serverArguments);
  const tokenFile = "/var/lib/rancher/k3s/server/node-token";
  const token = (await mustExec(server, ["cat", tokenFile])).trim();
  progress(`the install script on ${namesOf(agents)}`);
  const joining = { K3S_URL: `https://${server.address}:6443`, K3S_TOKEN: token };
  await Promise.all(agents.map((agent) => runInstallScript(agent, joining, [])));
  await Promise.all(agents.map((agent) => leaveMarkers(agent)));
  await apply(topology, server, await recipe("k3s/resident.yaml", topology, server));
}

async function leaveMarkers(machine: LabMachine): Promise<void> {
  for (const path of markers) {
    const write = `mkdir -p "$(dirname ${path})" && cat >${path}`;
    await mustExec(machine, ["sh", "-c", write], markerText);
  }
}
