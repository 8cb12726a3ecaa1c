import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FakeRoot } from "./fakeRoot.ts";
import type { Run } from "./runScript.ts";
import { runScript } from "./runScript.ts";
import { endUnit, installUnits } from "./units.ts";

type Side = "a" | "b";
/** The load balancers, the servers, and where the clients are. */
type Place = Side | "s" | "t" | "hub";

/** The names of both machines. */
export const sides: readonly Side[] = ["a", "b"];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function ip(...args: string[]): void {
  execFileSync("ip", args);
}

/**
 * Two load balancers with the real HAProxy and keepalived, each in a network namespace, on a bridge in a
 * third, where the clients are; behind them two doubles of the API, s and t, in namespaces too.
 */
export class LoadBalancerPair {
  readonly virtualAddress = "10.77.0.99";
  // In /run, as keepalived runs no script below a folder that others may write to.
  readonly roots = { a: new FakeRoot("/run"), b: new FakeRoot("/run") };
  readonly #own = { a: "10.77.0.97", b: "10.77.0.98", s: "10.77.0.11", t: "10.77.0.12" };
  readonly #apis: ChildProcess[] = [];

  namespace(name: Place): string {
    return `triad-test-${process.pid}-${name}`;
  }

  async start(): Promise<void> {
    assert.equal(process.getuid?.(), 0, "network namespaces need root");
    this.#connect();
    for (const name of ["s", "t"] as const) {
      this.#apis.push(this.spawn(name, "serveApi.ts", name, this.#own[name], "6443"));
      await this.until("the API's double", () => this.curl(this.#own[name]) === name);
    }
    for (const side of sides) installUnits(this.roots[side]);
    for (const side of sides) {
      await this.succeed("haproxy.sh", "ensure", side);
      await this.succeed("keepalived.sh", "ensure", side);
    }
    await this.until("a holder", () => this.holders() !== "");
  }

  async stop(): Promise<void> {
    for (const side of sides) {
      await endUnit(this.roots[side], "keepalived");
      await endUnit(this.roots[side], "haproxy");
      this.roots[side].remove();
    }
    for (const api of this.#apis) api.kill("SIGKILL");
    for (const name of ["a", "b", "s", "t", "hub"] as const) {
      spawnSync("ip", ["netns", "delete", this.namespace(name)]);
    }
  }

  #connect(): void {
    const hub = this.namespace("hub");
    ip("netns", "add", hub);
    ip("-n", hub, "link", "set", "lo", "up");
    ip("-n", hub, "link", "add", "name", "bridge0", "type", "bridge");
    ip("-n", hub, "address", "add", "10.77.0.1/24", "dev", "bridge0");
    ip("-n", hub, "link", "set", "bridge0", "up");
    for (const name of ["a", "b", "s", "t"] as const) {
      const own = this.namespace(name);
      const cable = ["name", `to-${name}`, "type", "veth", "peer", "name", "eth0", "netns", own];
      ip("netns", "add", own);
      ip("-n", hub, "link", "add", ...cable);
      ip("-n", hub, "link", "set", `to-${name}`, "master", "bridge0", "up");
      ip("-n", own, "link", "set", "lo", "up");
      ip("-n", own, "address", "add", `${this.#own[name]}/24`, "dev", "eth0");
      ip("-n", own, "link", "set", "eth0", "up");
    }
  }

  /** Plugs a machine's cable out or in. */
  setLink(name: Side | "s" | "t", state: "up" | "down"): void {
    ip("-n", this.namespace("hub"), "link", "set", `to-${name}`, state);
  }

  /** Runs a program of this folder in a namespace. */
  spawn(name: Place, program: string, ...args: string[]): ChildProcess {
    const file = join(import.meta.dirname, program);
    const inside = ["netns", "exec", this.namespace(name), process.execPath, file, ...args];
    return spawn("ip", inside, { stdio: ["ignore", "pipe", "inherit"] });
  }

  async script(
    name: "haproxy.sh" | "keepalived.sh",
    verb: string,
    side: Side,
    changes: Readonly<Record<string, string>> = {},
  ): Promise<Run> {
    const haproxy = {
      ENDPOINT_ADDRESS: this.virtualAddress,
      ENDPOINT_PORT: "6443",
      SERVERS: `s=${this.#own.s} t=${this.#own.t}`,
      INITIAL_SERVER: "s",
    };
    const keepalived = {
      VIRTUAL_ADDRESS: this.virtualAddress,
      ENDPOINT_PORT: "6443",
      PREFIX_LENGTH: "24",
      ROUTER_ID: "99",
      PRIORITY: side === "a" ? "110" : "100",
      OWN_ADDRESS: this.#own[side],
      PEERS: this.#own[this.other(side)],
    };
    const variables = name === "haproxy.sh" ? haproxy : keepalived;
    const { root, path } = this.roots[side];
    const wrapper = ["ip", "netns", "exec", this.namespace(side)];
    return await runScript(name, verb, { ...variables, ...changes }, { root, path, wrapper });
  }

  /** The result of a run that must not fail. */
  async succeed(...args: Parameters<LoadBalancerPair["script"]>): Promise<unknown> {
    const run = await this.script(...args);
    assert.equal(run.exitCode, 0, run.stderr);
    return run.result;
  }

  /** Waits; how long it took, in ms. */
  async until(what: string, holds: () => boolean, limitMs = 20_000): Promise<number> {
    const started = Date.now();
    while (!holds()) {
      if (Date.now() - started > limitMs) {
        const logs = sides.map((side) =>
          existsSync(this.roots[side].at("keepalived.log"))
            ? this.roots[side].read("keepalived.log")
            : "",
        );
        assert.fail(`${what}: not within ${limitMs} ms\n${logs.join("\n----\n")}`);
      }
      await pause(20);
    }
    return Date.now() - started;
  }

  /** Asks the API at an address, by a new connection; empty if nobody answers within a second. */
  curl(address: string): string {
    const curl = ["curl", "--silent", "--insecure", "--noproxy", "*", "--max-time", "1"];
    const args = ["netns", "exec", this.namespace("hub"), ...curl, `https://${address}:6443/`];
    return spawnSync("ip", args, { encoding: "utf8" }).stdout;
  }

  /** Who has the virtual address: "", "a", "b", or "ab". */
  holders(): string {
    const ask = (side: Side): string[] => ["-n", this.namespace(side), "-o", "address", "show"];
    return sides
      .filter(
        (side) =>
          spawnSync("ip", [...ask(side), "to", this.virtualAddress], { encoding: "utf8" })
            .stdout !== "",
      )
      .join("");
  }

  /** The one that holds the address, once that is settled. */
  async settled(): Promise<Side> {
    await this.until("one holder", () => this.holders().length === 1);
    await pause(700);
    const holder = this.holders();
    assert.ok(holder === "a" || holder === "b", `held by "${holder}"`);
    assert.match(this.curl(this.virtualAddress), /^[st]$/);
    return holder;
  }

  other(side: Side): Side {
    return side === "a" ? "b" : "a";
  }

  reloads(side: Side): number {
    const calls = this.roots[side].calls("systemctl");
    return calls.filter((call) => call === "reload keepalived").length;
  }
}
