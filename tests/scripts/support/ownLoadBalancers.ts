import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import * as z from "zod";
import { FakeRoot } from "./fakeRoot.ts";
import { MachineNetwork } from "./machineNetwork.ts";
import { runScript } from "./runScript.ts";
import { endUnit, installUnits } from "./units.ts";

export type Server = "a" | "b" | "c";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const outcome = z.object({
  asked: z.number(),
  failed: z.number(),
  keptFailed: z.number(),
  keptSlowestMs: z.number(),
});

/** Three servers of k3s, doubles of its API, that carry HAProxy and keepalived themselves. */
export class OwnLoadBalancers {
  readonly virtualAddress = "10.77.0.99";
  readonly port = 8443;
  readonly network = new MachineNetwork({ a: "10.77.0.11", b: "10.77.0.12", c: "10.77.0.13" });
  // In /run, as keepalived runs no script below a folder that others may write to.
  readonly roots = {
    a: new FakeRoot("/run"),
    b: new FakeRoot("/run"),
    c: new FakeRoot("/run"),
  };
  /** Who took the address (+) or let it go (-), in order: "+a", "-a", "+b". */
  readonly moves: string[] = [];
  readonly #processes: ChildProcess[] = [];

  async start(): Promise<void> {
    this.network.start();
    for (const name of this.network.names) {
      installUnits(this.roots[name]);
      // On every address, as the API server listens.
      this.#processes.push(this.network.spawn(name, "serveApi.ts", name, "0.0.0.0", "6443"));
      this.#watch(name);
    }
    for (const name of this.network.names) {
      const answers = (): boolean =>
        this.network.curl("hub", this.network.addresses[name]) === name;
      await this.until("the API's double", answers);
    }
  }

  async stop(): Promise<void> {
    for (const name of this.network.names) {
      await endUnit(this.roots[name], "keepalived");
      await endUnit(this.roots[name], "haproxy");
      this.roots[name].remove();
    }
    for (const one of this.#processes) one.kill("SIGKILL");
    this.network.stop();
  }

  #watch(name: Server): void {
    const monitor = this.network.run(name, "ip", "-o", "monitor", "address");
    this.#processes.push(monitor);
    assert.ok(monitor.stdout);
    createInterface(monitor.stdout).on("line", (line) => {
      if (!line.includes(`${this.virtualAddress}/`)) return;
      this.moves.push(`${line.startsWith("Deleted") ? "-" : "+"}${name}`);
    });
  }

  /** A verb on one of them, with a list of servers; the result of a run that must not fail. */
  async run(
    script: "haproxy.sh" | "keepalived.sh",
    verb: string,
    name: Server,
    variables: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    const { root, path } = this.roots[name];
    const wrapper = ["ip", "netns", "exec", this.network.namespace(name)];
    const run = await runScript(script, verb, variables, { root, path, wrapper });
    assert.equal(run.exitCode, 0, run.stderr);
    return run.result;
  }

  /** What a stack gives the load balancer of a server, for a list of servers. */
  variables(name: Server, list: readonly Server[]): Record<string, string> {
    const { addresses } = this.network;
    return {
      ENDPOINT_ADDRESS: this.virtualAddress,
      ENDPOINT_PORT: String(this.port),
      SERVERS: list.map((one) => `${one}=${addresses[one]}`).join(" "),
      INITIAL_SERVER: "a",
      CHECK: "token",
      STATS_PASSWORD: "secret",
      OWN_ADDRESS: addresses[name],
      VIRTUAL_ADDRESS: this.virtualAddress,
      PREFIX_LENGTH: "24",
      ROUTER_ID: "99",
      // As those of the plan: the first of the list has the highest.
      PRIORITY: String(200 - list.indexOf(name)),
      PEERS: list.flatMap((one) => (one === name ? [] : addresses[one])).join(" "),
    };
  }

  async ensure(name: Server, list: readonly Server[]): Promise<void> {
    await this.run("haproxy.sh", "ensure", name, this.variables(name, list));
    await this.run("keepalived.sh", "ensure", name, this.variables(name, list));
  }

  /** As the engine deletes it: last first. */
  async remove(name: Server, list: readonly Server[]): Promise<unknown[]> {
    return [
      await this.run("keepalived.sh", "remove", name, this.variables(name, list)),
      await this.run("haproxy.sh", "remove", name, this.variables(name, list)),
    ];
  }

  /** Asks through the endpoint from a machine, and keeps a connection to a server, while something goes on. */
  async asking(
    from: Server | "hub",
    server: Server,
    act: () => Promise<void>,
  ): Promise<z.infer<typeof outcome>> {
    const target = [this.virtualAddress, String(this.port), server, "60000"];
    const asker = this.network.spawn(from, "askOverAndOver.ts", ...target);
    this.#processes.push(asker);
    assert.ok(asker.stdout);
    asker.stdout.setEncoding("utf8");
    let output = "";
    asker.stdout.on("data", (text: string) => (output += text));
    const ended = new Promise((resolve) => asker.on("close", resolve));
    await this.until("a connection", () => output.includes("ready"));
    await act();
    asker.kill("SIGTERM");
    await ended;
    return outcome.parse(JSON.parse(output.replace("ready\n", "")));
  }

  async until(what: string, holds: () => boolean, limitMs = 20_000): Promise<void> {
    const started = Date.now();
    while (!holds()) {
      if (Date.now() - started > limitMs) {
        assert.fail(`${what}: not within ${limitMs} ms; moves: ${this.moves.join(" ")}`);
      }
      await pause(20);
    }
  }
}
