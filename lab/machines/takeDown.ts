import { existsSync } from "node:fs";
import { readFile, readdir, rm } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runtimeFolder, stateFolder, statePaths } from "../paths.ts";
import { findGroups, processesIn, removeGroup } from "./cgroups.ts";
import { killContainer } from "./container.ts";
import { labMounts, unmountAll } from "./mounts.ts";
import { labNamespaces, removeLabNetwork } from "./network.ts";
import { giveKernelBack } from "./safety.ts";
import { run } from "./shell.ts";

const prefix = "triad-lab";

/**
 * Ends whatever lab of ours is on this computer, found by looking rather than by remembering, so that
 * also what a killed run has left goes: processes, network namespaces, mounts, control groups, the
 * kernel's settings, and the lab's state.
 */
export async function takeDown(): Promise<void> {
  await endProcesses();
  await unmountAll();
  await removeLabNetwork(prefix);
  for (const group of await findGroups()) await removeGroup(group);
  await giveKernelBack();
  await rm(runtimeFolder, { recursive: true, force: true });
  await rm(stateFolder, { recursive: true, force: true });
}

/** What is left of any lab of ours; empty after `takeDown`. */
export async function leftovers(): Promise<string[]> {
  const processes = await labProcesses();
  const [namespaces, mounts, groups] = await Promise.all([
    labNamespaces(prefix),
    labMounts(),
    findGroups(),
  ]);
  return [
    ...processes.map((number) => `process ${String(number)}`),
    ...namespaces.map((name) => `network namespace ${name}`),
    ...mounts.map((point) => `mount ${point}`),
    ...groups.map((group) => `control group ${group}`),
    ...[stateFolder, runtimeFolder]
      .filter((path) => existsSync(path))
      .map((path) => `folder ${path}`),
  ];
}

async function endProcesses(): Promise<void> {
  const machines = new Set<string>();
  for (const group of await findGroups()) {
    for (const entry of await readdir(group, { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory()) machines.add(basename(entry.name));
    }
  }
  await Promise.all([...machines].map(killContainer));
  const deadline = Date.now() + 10_000;
  for (;;) {
    const left = await labProcesses();
    if (left.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`processes of the lab won't end: ${left.join(", ")}`);
    await run(["kill", "-KILL", ...left.map(String)]);
    await sleep(50);
  }
}

/** Everything in the lab's groups or network namespaces, but for this process and what started it. */
async function labProcesses(): Promise<number[]> {
  const inGroups = (await Promise.all((await findGroups()).map(processesIn))).flat();
  const inNetworks: number[] = [];
  for (const name of await labNamespaces(prefix)) {
    const { stdout } = await run(["ip", "netns", "pids", name]);
    inNetworks.push(
      ...stdout
        .split("\n")
        .filter((line) => line !== "")
        .map(Number),
    );
  }
  const own = await ancestors();
  const all = new Set([...inGroups, ...inNetworks, ...(await proxmoxProcess())]);
  return [...all].filter((number) => !own.has(number));
}

/** The double of Proxmox, by what it wrote down; another program may have its number since. */
async function proxmoxProcess(): Promise<number[]> {
  const number = Number(await readFile(statePaths.proxmox.pid, "utf8").catch(() => "0"));
  const command = await readFile(`/proc/${String(number)}/cmdline`, "utf8").catch(() => "");
  return command.includes("lab/proxmox/serve.ts") ? [number] : [];
}

async function ancestors(): Promise<Set<number>> {
  const found = new Set<number>();
  let number = process.pid;
  while (number > 1) {
    found.add(number);
    const status = await readFile(`/proc/${String(number)}/status`, "utf8").catch(() => "");
    number = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? "0");
  }
  return found;
}

/**
 * Fails with the list when anything of a lab is left on the computer.
 * @throws Error
 */
export async function assertNothingLeft(): Promise<void> {
  const left = await leftovers();
  if (left.length > 0) throw new Error(`the lab has left behind:\n${left.join("\n")}`);
}
