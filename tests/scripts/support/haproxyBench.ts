import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { request } from "node:https";
import * as z from "zod";
import { ApiDouble } from "./apiDouble.ts";
import { FakeRoot } from "./fakeRoot.ts";
import type { Run } from "./runScript.ts";
import { runScript } from "./runScript.ts";
import { endUnit, installUnits } from "./units.ts";

const status = z.object({
  servers: z.array(z.object({ name: z.string(), admin: z.string(), health: z.string() })),
});

/** The port of the endpoint and of every server. */
export const port = 26443;

/** The real HAProxy as a plain process in front of doubles of the API, all on addresses of loopback. */
export class HaproxyBench {
  // An own piece of 127/8, so that two runs do not meet.
  readonly net = `127.77.${1 + Math.floor(Math.random() * 250)}`;
  readonly endpoint = `${this.net}.99`;
  readonly root = new FakeRoot();
  readonly apis = {
    a: new ApiDouble("a", `${this.net}.1`, port),
    b: new ApiDouble("b", `${this.net}.2`, port),
    c: new ApiDouble("c", `${this.net}.3`, port),
  };
  readonly variables = {
    ENDPOINT_ADDRESS: this.endpoint,
    ENDPOINT_PORT: String(port),
    BACKEND_PORT: String(port),
    SERVERS: `a=${this.net}.1 b=${this.net}.2 c=${this.net}.3`,
    INITIAL_SERVER: "a",
    OWN_ADDRESS: `${this.net}.97`,
    STATS_PASSWORD: "correct horse' \"#\\ battery",
  };

  /** Only the first server is there at first. */
  async start(): Promise<void> {
    const why = "HAProxy changes its user and binds an address it lacks: run this as root";
    assert.equal(process.getuid?.(), 0, why);
    installUnits(this.root);
    await this.apis.a.start();
  }

  /** The file as the golden one has it: paths and addresses of a real machine. */
  configuration(): string {
    return this.root
      .read("etc/haproxy/haproxy.cfg")
      .replaceAll(this.root.root, "")
      .replaceAll(this.net, "127.77.0")
      .replace(/triad-[0-9a-f]{16}/, "triad-HASH");
  }

  async stop(): Promise<void> {
    await endUnit(this.root, "haproxy");
    await Promise.all(Object.values(this.apis).map((api) => api.stop()));
    this.root.remove();
  }

  async script(verb: string, changes: Readonly<Record<string, string>> = {}): Promise<Run> {
    return await runScript("haproxy.sh", verb, { ...this.variables, ...changes }, this.root);
  }

  /** The result of a run that must not fail. */
  async succeed(verb: string, changes: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const run = await this.script(verb, changes);
    assert.equal(run.exitCode, 0, `${run.stderr}\n${this.log()}`);
    return run.result;
  }

  log(): string {
    return existsSync(this.root.at("haproxy.log")) ? this.root.read("haproxy.log") : "";
  }

  /** "a ready UP, b disabled DOWN, ..." */
  async states(): Promise<string> {
    const { servers } = status.parse(await this.succeed("status"));
    return servers.map(({ name, admin, health }) => `${name} ${admin} ${health}`).join(", ");
  }

  /** Waits until these are the states. */
  async settle(wanted: string): Promise<void> {
    const end = Date.now() + 10_000;
    let seen = await this.states();
    while (seen !== wanted && Date.now() < end) seen = await this.states();
    assert.equal(seen, wanted, this.log());
  }

  /** Asks through the endpoint, by a new connection; the name of the server that answered. */
  async ask(): Promise<string> {
    const options = { host: this.endpoint, port, path: "/", rejectUnauthorized: false };
    return await new Promise((resolve, reject) => {
      const question = request({ ...options, agent: false, timeout: 3000 }, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (body += part));
        response.on("end", () => {
          resolve(body);
        });
      });
      question.on("timeout", () => question.destroy(new Error("time-out")));
      question.on("error", reject);
      question.end();
    });
  }

  /** The names of those who answer nine questions, such as "ab". */
  async answering(): Promise<string> {
    const names = new Set<string>();
    for (let time = 0; time < 9; time += 1) names.add(await this.ask());
    return [...names].sort().join("");
  }

  /** Asks over and over while something goes on; what failed. */
  async failuresDuring(act: () => Promise<void>): Promise<unknown[]> {
    const end = new AbortController();
    const failures: unknown[] = [];
    const asking = (async () => {
      while (!end.signal.aborted) {
        await this.ask().catch((error: unknown) => failures.push(error));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await act().finally(() => {
      end.abort();
    });
    await asking;
    return failures;
  }

  reloads(): number {
    return this.root.calls("systemctl").filter((call) => call === "reload haproxy").length;
  }
}
