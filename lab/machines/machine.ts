import { setTimeout as sleep } from "node:timers/promises";
import type { LabMachine, Topology } from "../topology.ts";
import { isFrozen, setFrozen } from "./cgroups.ts";
import { bootContainer, isAlive, killContainer, leaderOf } from "./container.ts";
import { mountDisk } from "./mounts.ts";
import { furnish } from "./furnish.ts";
import { hardwareOf } from "./hardware.ts";
import { cutLink, isConnected, isolate, namespacePath, plugIn, rejoin } from "./network.ts";
import { cutSsh, mendSsh } from "./sshCut.ts";
import { must, run, type CommandOptions, type CommandResult } from "./shell.ts";

/** What can be done to a machine from outside, as fate does. */
export const faultKinds = [
  "power-off",
  "power-on",
  "partition",
  "heal",
  "pause",
  "resume",
  "cut-ssh",
  "mend-ssh",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** How a machine is now. */
export type MachineState = "running" | "off" | "partitioned" | "paused";

/** Makes a machine from disk layers, the topmost first, and boots it; `untilUp` waits for it. */
export async function startMachine(
  topology: Topology,
  machine: LabMachine,
  layers: readonly string[],
): Promise<void> {
  const disk = await mountDisk(machine.name, layers);
  await furnish(topology, machine, disk.root);
  await powerOn(topology, machine);
}

/** Shuts a machine down in the usual order of its services. Its disk stays. */
export async function stopMachine(machine: LabMachine): Promise<void> {
  await exec(machine.name, ["systemctl", "poweroff", "--no-block"]);
  const deadline = Date.now() + 60_000;
  while ((await isAlive(machine.name)) && Date.now() < deadline) await sleep(100);
  await killContainer(machine.name);
}

/**
 * Waits until a machine takes SSH connections and its boot is over.
 * @throws Error naming the machine when that takes longer than 60 s.
 */
export async function untilUp(topology: Topology, machine: LabMachine): Promise<void> {
  const probe = `until (exec 3<>/dev/tcp/${machine.address}/22) 2>/dev/null; do sleep 0.1; done`;
  const namespace = `--net=${namespacePath(topology.namespace)}`;
  await must(["nsenter", namespace, "timeout", "60", "bash", "-c", probe]);
  await exec(machine.name, ["systemctl", "is-system-running", "--wait"]);
}

/**
 * Runs a command as root in a machine: as a unit of the machine's own systemd, so it may do no more
 * than anything else there. The exit status is the command's.
 */
export async function exec(
  machine: string,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const leader = await leaderOf(machine);
  if (leader === undefined) {
    return { stdout: "", stderr: `${machine} is off\n`, exitCode: 255 };
  }
  const unit = ["systemd-run", "--pipe", "--wait", "--quiet", "--collect", "--service-type=exec"];
  const environment = ["--setenv=HOME=/root", "--setenv=LANG=C.UTF-8", "--working-directory=/root"];
  const enter = ["nsenter", `--target=${String(leader)}`, "--all", "--root", "--wd=/"];
  const env = {
    ...options.env,
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
  return await run([...enter, ...unit, ...environment, "--", ...argv], { ...options, env });
}

/** Lets something happen to a machine; each is over within 2 s, though what follows may take longer. */
export async function fault(
  topology: Topology,
  kind: FaultKind,
  machine: LabMachine,
): Promise<void> {
  switch (kind) {
    case "power-off":
      if (!(await isAlive(machine.name))) return;
      await cutLink(topology, machine.name);
      return await killContainer(machine.name);
    case "power-on":
      if (await isAlive(machine.name)) return;
      return await powerOn(topology, machine);
    case "partition":
      return await isolate(topology, machine.name);
    case "heal":
      return await rejoin(topology, machine.name);
    case "pause":
      return await setFrozen(machine.name, true);
    case "resume":
      return await setFrozen(machine.name, false);
    case "cut-ssh":
      return await cutSsh(topology, machine);
    case "mend-ssh":
      return await mendSsh(topology, machine);
  }
}

/** How a machine is now, found by looking. */
export async function machineState(topology: Topology, machine: string): Promise<MachineState> {
  if (!(await isAlive(machine))) return "off";
  if (await isFrozen(machine)) return "paused";
  return (await isConnected(topology, machine)) ? "running" : "partitioned";
}

async function powerOn(topology: Topology, machine: LabMachine): Promise<void> {
  const hardware = await hardwareOf(machine.name);
  if (machine.isCreated === true && hardware === undefined) {
    throw new Error(`${machine.name} is not created yet`);
  }
  await plugIn(topology, machine, hardware?.mac);
  await bootContainer(topology, machine.name, hardware);
}
