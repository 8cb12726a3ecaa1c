import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mirrorOf, mustExec } from "../before/byHand.ts";
import { eventually } from "../measure/eventually.ts";
import { missingToWhole } from "../measure/whole.ts";
import { balancersOf, machinesWith, type LabMachine, type Topology } from "../topology.ts";
import type { GrowByHand, Timed } from "./growByHand.ts";

/**
 * Retrofit, mint and join for each. Programs, images and the load balancer are prepared beforehand and not timed.
 */
export const growKubeadm: GrowByHand = grow;

async function grow(topology: Topology, timed: Timed): Promise<void> {
  const { endpoint, version } = topology;
  const [first, ...others] = machinesWith(topology, "server");
  const [balancer] = balancersOf(topology);
  if (first === undefined || balancer === undefined) throw new Error("nothing to grow");
  const install = readFileSync(join(import.meta.dirname, "../before/kubeadm/install.sh"), "utf8");
  const vip = `${endpoint.address}/${String(topology.prefixLength)}`;
  const balance = (servers: readonly LabMachine[]): Promise<string> => {
    const addresses = servers.map(({ address }) => address);
    return script(balancer, "balance.sh", [vip, String(endpoint.port), ...addresses]);
  };
  const pull = ["kubeadm", "config", "images", "pull", "--kubernetes-version", version];
  for (const machine of others) {
    await bash(machine, install, [version, mirrorOf(topology)]);
    await mustExec(machine, pull);
  }
  const known = `echo ${endpoint.address} ${endpoint.name} >>/etc/hosts`;
  for (const machine of [first, ...others]) await bash(machine, known, []);
  await balance([first]);

  const target = [endpoint.name, endpoint.address, String(endpoint.port)];
  await timed("one → three", async () => {
    await timed("retrofit", () => script(first, "retrofit.sh", target));
    for (const [index, machine] of others.entries()) {
      const joining = await timed(`mint ${machine.name}`, () => script(first, "mint.sh", []));
      const own = ["--apiserver-advertise-address", machine.address];
      await timed(`join ${machine.name}`, () =>
        mustExec(machine, [...joining.trim().split(/\s+/), ...own]),
      );
      await balance([first, ...others.slice(0, index + 1)]);
    }
    await timed("until it is whole", () => eventually(180, () => missingToWhole(topology)));
  });
}

function script(machine: LabMachine, file: string, args: readonly string[]): Promise<string> {
  return bash(machine, readFileSync(join(import.meta.dirname, file), "utf8"), args);
}

function bash(machine: LabMachine, text: string, args: readonly string[]): Promise<string> {
  return mustExec(machine, ["bash", "-s", "--", ...args], text);
}
