import { createHash } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LabMachine, Topology } from "../topology.ts";
import { must, run } from "./shell.ts";

const bridge = "homelab";

/** The network namespace of one machine; all of the lab's begin with the same words. */
export function machineNamespace(topology: Topology, machine: string): string {
  return `${topology.namespace}-${machine}`;
}

/** The path by which other programs join a network namespace. */
export function namespacePath(namespace: string): string {
  return join("/run/netns", namespace);
}

/** Makes the namespace in which the operator works, with the bridge that all machines hang on. */
export async function createLabNetwork(topology: Topology): Promise<void> {
  const name = topology.namespace;
  await must(["ip", "netns", "add", name]);
  await ipBatch(name, [
    "link set lo up",
    `link add ${bridge} type bridge`,
    `addr add ${topology.operatorAddress}/${String(topology.prefixLength)} dev ${bridge}`,
    `link set ${bridge} up`,
  ]);
  // Forwarding without a way out makes the kernel answer "unreachable" at once to whoever asks for
  // the world outside; without it they would wait for their time-outs.
  await netnsSysctl(name, "net.ipv4.ip_forward", "1");
  await netnsSysctl(name, "net.ipv4.icmp_ratelimit", "0");
  await netnsSysctl(name, "net.bridge.bridge-nf-call-iptables", "0");
  // Programs started by `ip netns exec` see this file as /etc/resolv.conf.
  const folder = join("/etc/netns", name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "resolv.conf"), resolvConf(topology));
}

/** What stands in /etc/resolv.conf of every machine and of the operator. */
export function resolvConf(topology: Topology): string {
  return `nameserver ${topology.dnsServer}\nsearch ${topology.domain}\noptions timeout:1 attempts:2\n`;
}

/** The bridge's port of a machine: the name of a link has at most 15 characters. */
function portOf(machine: string): string {
  if (machine.length <= 15) return machine;
  const hash = createHash("sha256").update(machine).digest("hex");
  return `${machine.slice(0, 8)}-${hash.slice(0, 6)}`;
}

/**
 * Gives a machine a fresh network card on the bridge: nothing of an earlier boot is left on it.
 * @param mac of a machine that sets up its address itself; one without gets address and route with the card
 */
export async function plugIn(topology: Topology, machine: LabMachine, mac?: string): Promise<void> {
  const name = machineNamespace(topology, machine.name);
  await unplug(topology, machine.name);
  await must(["ip", "netns", "add", name]);
  await ipBatch(topology.namespace, [
    `link add ${portOf(machine.name)} type veth peer name eth0 address ${mac ?? macOf(machine.address)} netns ${name}`,
    `link set ${portOf(machine.name)} master ${bridge} up`,
  ]);
  await ipBatch(name, ["link set lo up"]);
  if (mac !== undefined) return;
  await ipBatch(name, [
    `addr add ${machine.address}/${String(topology.prefixLength)} dev eth0`,
    "link set eth0 up",
    `route add default via ${topology.operatorAddress}`,
  ]);
}

/** Takes a machine's network card away, with everything that it had set up on it. */
export async function unplug(topology: Topology, machine: string): Promise<void> {
  await run(["ip", "-n", topology.namespace, "link", "delete", portOf(machine)]);
  await run(["ip", "netns", "delete", machineNamespace(topology, machine)]);
}

/** Cuts the cable of a machine: it sees that it has no carrier. */
export async function cutLink(topology: Topology, machine: string): Promise<void> {
  await must(["ip", "-n", topology.namespace, "link", "set", portOf(machine), "down"]);
}

/** Takes a machine's port off the bridge: it has carrier, and nobody hears it. */
export async function isolate(topology: Topology, machine: string): Promise<void> {
  await must(["ip", "-n", topology.namespace, "link", "set", portOf(machine), "nomaster"]);
}

/** Undoes `isolate`. */
export async function rejoin(topology: Topology, machine: string): Promise<void> {
  await must([
    "ip",
    "-n",
    topology.namespace,
    "link",
    "set",
    portOf(machine),
    "master",
    bridge,
    "up",
  ]);
}

/** Whether a machine's port is on the bridge. */
export async function isConnected(topology: Topology, machine: string): Promise<boolean> {
  const { stdout } = await run([
    "ip",
    "-n",
    topology.namespace,
    "-o",
    "link",
    "show",
    portOf(machine),
  ]);
  return stdout.includes(` master ${bridge} `);
}

/** The names of all network namespaces that begin as this lab's do. */
export async function labNamespaces(prefix: string): Promise<string[]> {
  const names = await readdir("/run/netns").catch(() => []);
  return names.filter((name) => name === prefix || name.startsWith(`${prefix}-`));
}

/** Removes the namespaces of a lab; what runs in them has to be ended before. */
export async function removeLabNetwork(prefix: string): Promise<void> {
  for (const name of await labNamespaces(prefix)) await run(["ip", "netns", "delete", name]);
  await rm(join("/etc/netns", prefix), { recursive: true, force: true });
}

async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  await must(["ip", "-n", namespace, "-batch", "-"], { input: `${lines.join("\n")}\n` });
}

async function netnsSysctl(namespace: string, key: string, value: string): Promise<void> {
  const path = `/proc/sys/${key.replaceAll(".", "/")}`;
  await must([
    "nsenter",
    `--net=${namespacePath(namespace)}`,
    "sh",
    "-c",
    `echo ${value} >${path}`,
  ]);
}

/** A machine's hardware address, of those that everybody may give: it stays the same over power cuts. */
export function macOf(address: string): string {
  const octets = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return `02:54:${octets.join(":")}`;
}
