import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, killContainer, leaderOf } from "../machines/container.ts";
import { giveHardware, type Hardware } from "../machines/hardware.ts";
import { exec, fault } from "../machines/machine.ts";
import { diskOf } from "../machines/mounts.ts";
import { unplug } from "../machines/network.ts";
import { statePaths } from "../paths.ts";
import type { LabMachine, Topology } from "../topology.ts";
import { interfacesIn } from "./guestInterfaces.ts";
import type { Hypervisor, Machine } from "./hypervisor.ts";
import { putSeed, seedFilesOf } from "./seedFolder.ts";
import { cloneDisk, forgetDisk, removeDisk, restoreDisk, saveDisk } from "./vmDisk.ts";

/** How long a machine may take from its start to its process 1, in milliseconds. */
const bootLimitMs = 60_000;

/** How long the guest agent, and whoever is asked to shut down, is listened to: one that is paused says nothing at all. */
const agentLimit = { timeoutMs: 20_000 };

/**
 * Makes VMs machines of the lab, by their name: with the disk of a template, the memory and the time of processors as
 * limits, a network card with the MAC address that Proxmox dealt out, and real cloud-init, which sets up all else.
 * @param layers of the template's disk, the topmost first
 */
export function nspawnHypervisor(topology: Topology, layers: readonly string[]): Hypervisor {
  const names = new Map<number, string>();
  /** A VM that is renamed stays the machine that it is. */
  const nameOf = ({ id, name }: Machine): string => names.get(id) ?? name;
  const labMachine = (machine: Machine): LabMachine => {
    const name = nameOf(machine);
    const known = topology.machines.find((one) => one.name === name);
    return known ?? { name, address: "", role: "worker", isCreated: true };
  };
  const stop = (machine: Machine): Promise<void> =>
    fault(topology, "power-off", labMachine(machine));
  return {
    async create(machine) {
      names.set(machine.id, machine.name);
      await cloneDisk(machine.name, layers);
    },
    async start(machine, seed) {
      const name = nameOf(machine);
      const { isCreated } = labMachine(machine);
      // One that was there before Proxmox' double boots as it always has.
      if (isCreated === true) {
        await putSeed(diskOf(name).root, seedFilesOf(machine.discs, seed));
        await giveHardware(name, hardwareOf(machine));
      }
      await fault(topology, "power-on", labMachine(machine));
      await untilItBoots(name);
    },
    async shutdown(machine, seconds) {
      const name = nameOf(machine);
      await exec(name, ["systemctl", "poweroff", "--no-block"], agentLimit);
      const deadline = Date.now() + seconds * 1000;
      while (await isAlive(name)) {
        if (Date.now() > deadline) return false;
        await sleep(100);
      }
      await killContainer(name);
      return true;
    },
    stop,
    async destroy(machine) {
      const name = nameOf(machine);
      await stop(machine);
      // One that has ended by itself has left its control groups.
      await killContainer(name);
      await removeDisk(name);
      await unplug(topology, name);
      names.delete(machine.id);
    },
    isRunning: (machine) => isAlive(nameOf(machine)),
    async addresses(machine) {
      const ask = ["ip", "-json", "address"];
      const { stdout, exitCode } = await exec(nameOf(machine), ask, agentLimit);
      return exitCode === 0 ? interfacesIn(stdout) : undefined;
    },
    async readFile(machine, path) {
      const { stdout, exitCode } = await exec(nameOf(machine), ["cat", path], agentLimit);
      return exitCode === 0 ? stdout : undefined;
    },
    saveDisk: (machine, snapshot) => saveDisk(nameOf(machine), snapshot),
    restoreDisk: (machine, snapshot) => restoreDisk(nameOf(machine), snapshot),
    forgetDisk: (machine, snapshot) => forgetDisk(nameOf(machine), snapshot),
  };
}

function hardwareOf({ name, networks, memoryBytes, cpus }: Machine): Hardware {
  const [card] = networks;
  if (card === undefined) throw new Error(`${name} has no network card, and none boots without`);
  return { mac: card.mac.toLowerCase(), memoryBytes, cpus };
}

/** @throws Error with the end of what it said on its console, when it does not boot */
async function untilItBoots(name: string): Promise<void> {
  const deadline = Date.now() + bootLimitMs;
  while ((await leaderOf(name)) === undefined) {
    if (Date.now() > deadline) {
      const console = join(statePaths.machine(name), "console.log");
      const said = (await readFile(console, "utf8").catch(() => "")).trim().split("\n");
      throw new Error(`start failed: ${name} does not boot: ${said.slice(-5).join(" / ")}`);
    }
    await sleep(100);
  }
}
