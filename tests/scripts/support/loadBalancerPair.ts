import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { FakeRoot } from "./fakeRoot.ts";
import { MachineNetwork } from "./machineNetwork.ts";
import type { Run } from "./runScript.ts";
import { runScript } from "./runScript.ts";
import { endUnit, installUnits } from "./units.ts";

type Side = "a" | "b";
/** The names of both machines. */
export const sides: readonly Side[] = ["a", "b"];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Two load balancers with the real HAProxy and keepalived, behind them two doubles of the API, s and t. */
export class LoadBalancerPair {
  readonly virtualAddress = "10.77.0.99";
  // In /run, as keepalived runs no script below a folder that others may write to.
  readonly roots = { a: new FakeRoot("/run"), b: new FakeRoot("/run") };
  readonly network = new MachineNetwork({
    a: "10.77.0.97",
    b: "10.77.0.98",
    s: "10.77.0.11",
    t: "10.77.0.12",
  });
  readonly #apis: ChildProcess[] = [];

  async start(): Promise<void> {
    const { addresses } = this.network;
    this.network.start();
    for (const name of ["s", "t"] as const) {
      this.#apis.push(this.network.spawn(name, "serveApi.ts", name, addresses[name], "6443"));
      await this.until("the API's double", () => this.curl(addresses[name]) === name);
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
    this.network.stop();
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
      SERVERS: `s=${this.network.addresses.s} t=${this.network.addresses.t}`,
      INITIAL_SERVER: "s",
      OWN_ADDRESS: this.network.addresses[side],
      STATS_PASSWORD: "statistics",
    };
    const keepalived = {
      VIRTUAL_ADDRESS: this.virtualAddress,
      ENDPOINT_PORT: "6443",
      PREFIX_LENGTH: "24",
      ROUTER_ID: "99",
      PRIORITY: side === "a" ? "110" : "100",
      OWN_ADDRESS: this.network.addresses[side],
      PEERS: this.network.addresses[this.other(side)],
    };
    const variables = name === "haproxy.sh" ? haproxy : keepalived;
    const { root, path } = this.roots[side];
    const wrapper = ["ip", "netns", "exec", this.network.namespace(side)];
    return await runScript(name, verb, { ...variables, ...changes }, { root, path, wrapper });
  }

  /** The result of a run that must not fail. */
  async succeed(...args: Parameters<LoadBalancerPair["script"]>): Promise<unknown> {
    const run = await this.script(...args);
    assert.equal(run.exitCode, 0, run.stderr);
    // Not from a subshell either.
    assert.doesNotMatch(run.stderr, /^error: stopped in /m);
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
    return this.network.curl("hub", address);
  }

  /** Who has the virtual address: "", "a", "b", or "ab". */
  holders(): string {
    return sides.filter((side) => this.network.has(side, this.virtualAddress)).join("");
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
