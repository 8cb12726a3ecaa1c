import { limitsOf } from "../../machines/cgroups.ts";
import { exec } from "../../machines/machine.ts";
import { askedOfProxmox, machinesOnProxmox } from "../../proxmox/askControl.ts";
import { interfacesIn } from "../../proxmox/guestInterfaces.ts";
import { unlistedRequests } from "../../proxmox/listedRequests.ts";
import { createdMachines, type Topology } from "../../topology.ts";
import type { Promised } from "./promised.ts";

/** What has to be true besides where machines are created. */
export const proxmoxPromises: readonly Promised[] = [
  { sentence: "Proxmox has the machines that are created, and no other", look: machinesAreThere },
  { sentence: "each has the memory and the processors that Proxmox gives it", look: sharesFit },
  { sentence: "cloud-init is done on each, without an error", look: cloudInitIsDone },
  { sentence: "each has one address and one host key, those of its seed", look: isAsSeeded },
  { sentence: "Proxmox was asked for nothing that is not listed", look: onlyListed },
];

async function machinesAreThere(topology: Topology): Promise<string | undefined> {
  const there = (await machinesOnProxmox()).filter(({ runs }) => runs).map(({ name }) => name);
  const wanted = createdMachines(topology).map(({ name }) => name);
  const differ = there.sort().join(", ") !== wanted.sort().join(", ");
  return differ ? `it runs ${there.join(", ") || "none"}` : undefined;
}

async function sharesFit(): Promise<string | undefined> {
  for (const { name, memoryBytes, cpus } of await machinesOnProxmox()) {
    const has = await limitsOf(name);
    if (has.memoryBytes === memoryBytes && has.cpus === cpus) continue;
    return `${name} has ${String(has.memoryBytes)} bytes and ${String(has.cpus)} processors`;
  }
  return undefined;
}

async function cloudInitIsDone(topology: Topology): Promise<string | undefined> {
  for (const { name } of createdMachines(topology)) {
    const { stdout, exitCode } = await exec(name, ["cloud-init", "status", "--long"]);
    if (exitCode !== 0 || !stdout.includes("status: done")) return `${name}: ${stdout.trim()}`;
    if (!stdout.includes("NoCloud")) return `${name} took another source: ${stdout.trim()}`;
  }
  return undefined;
}

async function isAsSeeded(topology: Topology): Promise<string | undefined> {
  for (const { name, address } of createdMachines(topology)) {
    const { stdout } = await exec(name, ["ip", "-4", "-json", "address", "show", "eth0"]);
    const has = interfacesIn(stdout || "[]").flatMap(({ addresses }) => addresses);
    const wanted = `${address}/${String(topology.prefixLength)}`;
    if (has.join(", ") !== wanted) return `${name} has ${has.join(", ") || "no address"}`;
    // That it is the right one is known by then: Triad talks to no other.
    const keys = await exec(name, ["sh", "-c", "cd /etc/ssh && echo ssh_host_*_key"]);
    if (keys.stdout.trim() !== "ssh_host_ed25519_key") return `${name} has ${keys.stdout.trim()}`;
  }
  return undefined;
}

async function onlyListed(): Promise<string | undefined> {
  const { names, refused } = await askedOfProxmox();
  const unlisted = await unlistedRequests(names);
  if (unlisted.length > 0) {
    const how =
      "see that lab/proxmox has them as Proxmox does, then TRIAD_WRITE_LISTS=1 lists them";
    return `new are ${unlisted.join("; ")} (${how})`;
  }
  return refused.length === 0 ? undefined : `it refused ${refused.join("; ")}`;
}
