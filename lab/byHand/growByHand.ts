import { readFileSync } from "node:fs";
import { join } from "node:path";
import { exec } from "../machines/machine.ts";
import { eventually } from "../measure/eventually.ts";
import type { Step } from "../measure/steps.ts";
import { missingToWhole } from "../measure/whole.ts";
import type { LabMachine, Topology } from "../topology.ts";

/**
 * Takes the lab from one server to all of them by typing commands instead of with Triad, so that there is something
 * to compare with. Programs, images and the load balancer are prepared beforehand and not timed. Its steps:
 * retrofit, mint and join for each, and "one → three" over all until every member votes and every Node is Ready.
 */
export async function growByHand(
  topology: Topology,
  tell: (line: string) => void,
): Promise<Step[]> {
  const { endpoint, kubernetesVersion, operatorAddress, mirrorPort } = topology;
  const [first, ...others] = topology.machines.filter(({ role }) => role === "server");
  const balancer = topology.machines.find(({ role }) => role === "load-balancer");
  if (first === undefined || balancer === undefined) throw new Error("nothing to grow");
  const mirror = `http://${operatorAddress}:${String(mirrorPort)}`;
  const install = readFileSync(join(import.meta.dirname, "../kubeadm/install.sh"), "utf8");
  const vip = `${endpoint.address}/${String(topology.prefixLength)}`;
  const balance = (servers: readonly LabMachine[]): Promise<string> => {
    const addresses = servers.map(({ address }) => address);
    return script(balancer, "balance.sh", [vip, String(endpoint.port), ...addresses]);
  };
  const pull = ["kubeadm", "config", "images", "pull", "--kubernetes-version", kubernetesVersion];
  for (const machine of others) {
    await bash(machine, install, [kubernetesVersion, mirror]);
    await must(machine, pull);
  }
  const known = `echo ${endpoint.address} ${endpoint.name} >>/etc/hosts`;
  for (const machine of [first, ...others]) await bash(machine, known, []);
  await balance([first]);

  const steps: Step[] = [];
  const timed = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const startMs = Date.now();
    const result = await act();
    steps.push({ name: `by hand: ${name}`, startMs, endMs: Date.now() });
    tell(name);
    return result;
  };
  const target = [endpoint.name, endpoint.address, String(endpoint.port)];
  await timed("one → three", async () => {
    await timed("retrofit", () => script(first, "retrofit.sh", target));
    for (const [index, machine] of others.entries()) {
      const joining = await timed(`mint ${machine.name}`, () => script(first, "mint.sh", []));
      const own = ["--apiserver-advertise-address", machine.address];
      await timed(`join ${machine.name}`, () =>
        must(machine, [...joining.trim().split(/\s+/), ...own]),
      );
      await balance([first, ...others.slice(0, index + 1)]);
    }
    await timed("until it is whole", () => eventually(180, () => missingToWhole(topology)));
  });
  return steps.toSorted((one, other) => one.startMs - other.startMs);
}

function script(machine: LabMachine, file: string, args: readonly string[]): Promise<string> {
  return bash(machine, readFileSync(join(import.meta.dirname, file), "utf8"), args);
}

function bash(machine: LabMachine, text: string, args: readonly string[]): Promise<string> {
  return must(machine, ["bash", "-s", "--", ...args], text);
}

async function must(
  { name }: LabMachine,
  argv: readonly string[],
  input?: string,
): Promise<string> {
  const result = await exec(name, argv, input === undefined ? {} : { input });
  if (result.exitCode === 0) return result.stdout;
  throw new Error(`${name}: ${argv.join(" ")}: ${result.stdout}${result.stderr}`);
}
