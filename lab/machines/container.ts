import { spawn } from "node:child_process";
import { open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { statePaths } from "../paths.ts";
import {
  groupsOf,
  isFrozen,
  isUnified,
  limitGroups,
  makeGroups,
  processesIn,
  removeGroup,
  setFrozen,
  type Share,
} from "./cgroups.ts";
import { diskOf } from "./mounts.ts";
import { machineNamespace, namespacePath } from "./network.ts";
import type { Topology } from "../topology.ts";

/** How systemd-nspawn names a machine; no other container on the computer is called so. */
export function containerName(machine: string): string {
  return `triad-lab-${machine}`;
}

/**
 * Boots a machine from its disk in the background: real systemd as process 1.
 *
 * The machine may do what root may on a computer of its own (mounts, networks, containers, BPF), but
 * not set the clock, load modules, or touch swap: those belong to the computer it runs on. Of the
 * kernel's settings only those of its own network can be written.
 * @param share what it may have of the computer's; by default all
 * @see https://www.freedesktop.org/software/systemd/man/252/systemd-nspawn.html
 */
export async function bootContainer(
  topology: Topology,
  machine: string,
  share?: Share,
): Promise<void> {
  await killContainer(machine);
  const disk = diskOf(machine);
  const groups = await makeGroups(machine);
  if (share !== undefined) await limitGroups(groups, share);
  const argv = [
    "systemd-nspawn",
    "--quiet",
    "--register=no",
    "--keep-unit",
    `--machine=${containerName(machine)}`,
    `--hostname=${machine}`,
    `--directory=${disk.root}`,
    `--bind=${disk.containerd}:${topology.distribution.containerd.data}`,
    "--bind-ro=/dev/kmsg",
    "--capability=all",
    "--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE",
    "--system-call-filter=@mount @keyring bpf perf_event_open",
    "--system-call-filter=~@swap @module",
    "--console=pipe",
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    `--network-namespace-path=${namespacePath(machineNamespace(topology, machine))}`,
    "--boot",
    ...(isUnified ? [] : ["systemd.unified_cgroup_hierarchy=0"]),
  ];
  // The launching shell enters the machine's groups first, so that their roots are all it can see.
  const script = 'for group in $LAB_GROUPS; do echo $$ >"$group/cgroup.procs"; done; exec "$@"';
  const console = await open(join(statePaths.machine(machine), "console.log"), "a");
  try {
    const child = spawn("sh", ["-c", script, "sh", ...argv], {
      detached: true,
      stdio: ["ignore", console.fd, console.fd],
      cwd: "/",
      env: {
        PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
        LAB_GROUPS: groups.join(" "),
        SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network",
      },
    });
    child.unref();
  } finally {
    await console.close();
  }
}

/** The process number of a machine's process 1, seen from the computer; undefined while it is off. */
export async function leaderOf(machine: string): Promise<number | undefined> {
  for (const group of await groupsOf(machine)) {
    const path = join(group, "payload", "init.scope", "cgroup.procs");
    for (const line of (await readFile(path, "utf8").catch(() => "")).split("\n")) {
      if (line === "") continue;
      const status = await readFile(`/proc/${line}/status`, "utf8").catch(() => "");
      const inner = /^NSpid:.*\s(\d+)$/m.exec(status)?.[1];
      if (inner === "1") return Number(line);
    }
  }
  return undefined;
}

/** Whether anything of a machine runs, also while it boots or goes down. */
export async function isAlive(machine: string): Promise<boolean> {
  for (const group of await groupsOf(machine)) {
    if ((await processesIn(group)).length > 0) return true;
  }
  return false;
}

/**
 * Ends everything in a machine at once, without a word to it, and waits until it is gone.
 * @throws Error when a process outlives SIGKILL for 10 s.
 */
export async function killContainer(machine: string): Promise<void> {
  const groups = await groupsOf(machine);
  const frozen = await isFrozen(machine);
  const deadline = Date.now() + 10_000;
  for (;;) {
    const processes = new Set((await Promise.all(groups.map(processesIn))).flat());
    if (processes.size === 0) break;
    for (const number of processes) killQuietly(number);
    // What is frozen dies only when it may run again.
    if (frozen) await setFrozen(machine, false);
    if (Date.now() > deadline) {
      throw new Error(`${machine}: still alive after SIGKILL: ${[...processes].join(", ")}`);
    }
    await sleep(20);
  }
  for (const group of groups) await removeGroup(group);
  await removeTraces(machine);
}

/** What systemd-nspawn would have removed itself if it had not been killed. */
async function removeTraces(machine: string): Promise<void> {
  const run = "/run/systemd/nspawn";
  await rm(join(run, "propagate", containerName(machine)), { recursive: true, force: true });
  const root = await stat(diskOf(machine).root).catch(() => undefined);
  if (root === undefined) return;
  await rm(join(run, "locks", `inode-${String(root.dev)}:${String(root.ino)}`), { force: true });
}

function killQuietly(processNumber: number): void {
  try {
    process.kill(processNumber, "SIGKILL");
  } catch {
    // It ended between being listed and being killed.
  }
}
