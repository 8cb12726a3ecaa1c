import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";

function ip(...args: string[]): void {
  execFileSync("ip", args);
}

/**
 * Machines that are no more than a network namespace each, with eth0 on a bridge in a further one, the hub, where
 * clients are.
 */
export class MachineNetwork<Name extends string> {
  readonly addresses: Readonly<Record<Name, string>>;
  readonly names: readonly Name[];

  /** @param addresses by name, in 10.77.0.0/24; the hub is 10.77.0.1 */
  constructor(addresses: Readonly<Record<Name, string>>) {
    this.addresses = addresses;
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- Object.keys forgets it
    this.names = Object.keys(addresses) as Name[];
  }

  namespace(name: Name | "hub"): string {
    return `triad-test-${process.pid}-${name}`;
  }

  start(): void {
    assert.equal(process.getuid?.(), 0, "network namespaces need root");
    const hub = this.namespace("hub");
    ip("netns", "add", hub);
    ip("-n", hub, "link", "set", "lo", "up");
    ip("-n", hub, "link", "add", "name", "bridge0", "type", "bridge");
    ip("-n", hub, "address", "add", "10.77.0.1/24", "dev", "bridge0");
    ip("-n", hub, "link", "set", "bridge0", "up");
    for (const name of this.names) {
      const own = this.namespace(name);
      const cable = ["name", `to-${name}`, "type", "veth", "peer", "name", "eth0", "netns", own];
      ip("netns", "add", own);
      ip("-n", hub, "link", "add", ...cable);
      ip("-n", hub, "link", "set", `to-${name}`, "master", "bridge0", "up");
      ip("-n", own, "link", "set", "lo", "up");
      ip("-n", own, "address", "add", `${this.addresses[name]}/24`, "dev", "eth0");
      ip("-n", own, "link", "set", "eth0", "up");
    }
  }

  stop(): void {
    for (const name of [...this.names, "hub" as const]) {
      spawnSync("ip", ["netns", "delete", this.namespace(name)]);
    }
  }

  /** Plugs a machine's cable out or in. */
  setLink(name: Name, state: "up" | "down"): void {
    ip("-n", this.namespace("hub"), "link", "set", `to-${name}`, state);
  }

  /** What a command in a machine prints, whether it fails or not. */
  output(name: Name | "hub", ...command: string[]): string {
    const args = ["netns", "exec", this.namespace(name), ...command];
    return spawnSync("ip", args, { encoding: "utf8" }).stdout;
  }

  /** Starts a command in a machine. */
  run(name: Name | "hub", ...command: string[]): ChildProcess {
    const args = ["netns", "exec", this.namespace(name), ...command];
    return spawn("ip", args, { stdio: ["ignore", "pipe", "inherit"] });
  }

  /** Starts a program of this folder in a machine. */
  spawn(name: Name | "hub", program: string, ...args: string[]): ChildProcess {
    return this.run(name, process.execPath, join(import.meta.dirname, program), ...args);
  }

  /** Asks the API, by a new connection; empty if nobody answers within a second. */
  curl(name: Name | "hub", address: string, port = 6443): string {
    const curl = ["curl", "--silent", "--insecure", "--noproxy", "*", "--max-time", "1"];
    return this.output(name, ...curl, `https://${address}:${port}/`);
  }

  has(name: Name, address: string): boolean {
    return this.output(name, "ip", "-o", "address", "show", "to", address) !== "";
  }
}
