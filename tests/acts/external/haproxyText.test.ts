import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lookThrough, type Sight } from "../../../acts/external/lookThrough.ts";
import { healthCheckSeen } from "../../../acts/external/sightFaults.ts";
import { gate, type Look } from "../../../acts/gate.ts";
import { balancerText } from "../../../plan/balancerText.ts";
import { samplePlan } from "../../support/samplePlan.ts";
import { type ApiDouble, Scene } from "./balancer.ts";

const endpoint = { address: "127.0.20.99", port: 26_443 };
const noDns = { dns: undefined, dnsTsigSecret: undefined };
const servers = ["k8s-master", "k8s-master-2", "k8s-master-3"];

/** What kubeadm's guide has in front of its own text. */
const ownersPart = `defaults
    mode http
    timeout connect 5s
    timeout client 35s
    timeout server 35s
    timeout check 10s

`;

/** The text for three servers, of which the third is none yet, in a real HAProxy of somebody else's. */
describe("the text for haproxy.cfg", () => {
  const folder = mkdtempSync(join(tmpdir(), "triad-balancer-"));
  let scene: Scene;
  let one: ApiDouble;
  let two: ApiDouble;
  let haproxy: ChildProcess | undefined;
  beforeEach(async () => {
    scene = new Scene();
    one = await scene.api("k8s-master", "127.0.20.100");
    two = await scene.api("k8s-master-2", "127.0.20.110");
  });
  afterEach(async () => {
    if (haproxy?.kill("SIGKILL") === true) await once(haproxy, "exit");
    scene.end();
  });
  after(() => rmSync(folder, { recursive: true }));

  /** @param interval of its checks, in ms, where nobody is to wait for them */
  function start(interval?: number): void {
    const external = { ...endpoint, address: "10.0.20.99", external: true };
    const plan = samplePlan(servers, { endpoint: external, loadBalancers: [], ...noDns });
    const text = balancerText(plan)
      .haproxy.replaceAll(/ 10\.0(\.20\.\d+):6443$/gm, ` 127.0$1:${scene.apiPort}`)
      .replace(" 10.0.20.99:", ` ${endpoint.address}:`)
      .replace("inter 2000", `inter ${interval ?? 2000}`);
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, ownersPart + text);
    haproxy = spawn("haproxy", ["-db", "-f", file], { stdio: "ignore" });
  }

  function look(): Promise<Sight> {
    const machines = [one, two, { name: "k8s-master-3", address: "127.0.20.111" }];
    return lookThrough({ endpoint, machines, apiPort: scene.apiPort });
  }

  async function wait<Found>(seen: () => Promise<Look<Found>>): Promise<Found> {
    const options = { limitMs: 8_000, intervalMs: 50, why: "it is looked at", cure: "see its log" };
    return await gate(seen, { ...options, what: "HAProxy", progress: () => undefined });
  }

  async function until(wanted: (sight: Sight) => boolean): Promise<Sight> {
    return await wait(async () => {
      const sight = await look();
      return wanted(sight) ? { found: sight } : { seen: JSON.stringify(sight) };
    });
  }

  it("leads to every server that serves, and a server to be does no harm", async () => {
    start();
    const { reached } = await until((sight) => sight.failures.length === 0);
    assert.deepEqual(Object.keys(reached).sort(), ["k8s-master", "k8s-master-2"]);
  });

  it("takes a server out that says it is not ready, though it serves", async () => {
    start(100);
    await until(({ reached }) => "k8s-master-2" in reached);
    two.status = 500;
    // At the moment in which it is taken out HAProxy ends the connections that it has there.
    const sight = await until(
      ({ failures, reached }) => failures.length === 0 && !("k8s-master-2" in reached),
    );
    assert.deepEqual(sight.unready, {});
    assert.match(healthCheckSeen(sight, servers), /^k8s-master-2 and k8s-master-3 were not ready/);
    two.status = 200;
    await until(({ reached }) => "k8s-master-2" in reached);
  });

  it("gives a server that is busy time to answer a check, though little to accept a connection", async () => {
    two.lateMs = 700;
    start();
    await wait(async () => (two.asked > 0 ? { found: true } : { seen: "no check came through" }));
  });

  it("leads a client elsewhere when a server is gone that no check has missed yet", async () => {
    start(60_000);
    await until(({ reached }) => "k8s-master-2" in reached);
    await scene.stop(two);
    const { asked, failures, reached } = await look();
    assert.deepEqual(failures, []);
    assert.deepEqual(reached, { "k8s-master": asked });
  });
});
