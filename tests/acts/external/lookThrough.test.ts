import { strict as assert } from "node:assert";
import { once } from "node:events";
import { lookThrough, type Sight } from "../../../acts/external/lookThrough.ts";
import { verifyEndpoint } from "../../../acts/external/verifyEndpoint.ts";
import { watchStop } from "../../../acts/external/watchStop.ts";
import { machineOf } from "../k3s/doubles.ts";
import { type ApiDouble, type BalancerDouble, Scene } from "./balancer.ts";

const endpointNames = ["DNS:k8s-apiserver.homelab.test", "IP:127.0.0.1"];

describe("a look through a balancer that somebody else runs", () => {
  let scene: Scene;
  let one: ApiDouble;
  let two: ApiDouble;
  let balancer: BalancerDouble;
  beforeEach(async () => {
    scene = new Scene();
    one = await scene.api("k8s-master", "127.0.20.100", ...endpointNames);
    two = await scene.api("k8s-master-2", "127.0.20.110", ...endpointNames);
    balancer = await scene.balancer([one.address, two.address]);
  });
  afterEach(() => {
    scene.end();
  });

  const off = { name: "k8s-master-3", address: "127.0.20.111" };

  function look(): Promise<Sight> {
    const { endpoint } = balancer;
    return lookThrough({ endpoint, machines: [one, two, off], apiPort: scene.apiPort });
  }

  it("tells who answered by the certificates, and who answers directly", async () => {
    const sight = await look();
    assert.equal(sight.asked, 12);
    assert.deepEqual(sight.reached, { "k8s-master": 6, "k8s-master-2": 6 });
    assert.deepEqual([sight.failures, sight.strangers, sight.unready], [[], [], {}]);
    assert.deepEqual(
      sight.direct.map(({ name, answer }) => [name, answer?.status]),
      [
        ["k8s-master", 200],
        ["k8s-master-2", 200],
        ["k8s-master-3", undefined],
      ],
    );
    assert.deepEqual(sight.direct[0]?.answer?.names, [
      "127.0.20.100",
      "k8s-apiserver.homelab.test",
      "127.0.0.1",
    ]);
  });

  it("misses whom the balancer does not know", async () => {
    balancer.backends = [one.address];
    assert.deepEqual((await look()).reached, { "k8s-master": 12 });
  });

  it("sees that the balancer leads to one that is not ready, and to one that is off", async () => {
    two.status = 500;
    balancer.backends = [one.address, two.address, off.address];
    const sight = await look();
    // Connections that nobody answers take nothing from what is known of the others.
    assert.deepEqual(sight.reached, { "k8s-master": 6, "k8s-master-2": 6 });
    assert.deepEqual(sight.unready, { "k8s-master-2": 500 });
    assert.equal(sight.failures.length, 5);
    assert.equal(sight.asked, 17);
  });

  it("gives up where too many are not answered", async () => {
    balancer.backends = [one.address, off.address, off.address];
    const sight = await look();
    assert.deepEqual(sight.reached, { "k8s-master": 3 });
    assert.equal(sight.failures.length, 6);
  });

  it("knows nobody by a certificate that no machine shows, and says who signed it", async () => {
    const stranger = await scene.api("pfsense", "127.0.20.1");
    balancer.backends = [stranger.address];
    const sight = await look();
    assert.deepEqual(sight.reached, {});
    assert.deepEqual(sight.strangers, ["CN=pfsense"]);
  });

  it("gives up where nobody answers at all", async () => {
    balancer.backends = [];
    const sight = await look();
    assert.equal(sight.asked, 3);
    assert.equal(sight.failures.length, 3);
    assert.match(sight.failures[0] ?? "", /socket|ECONNRESET|disconnected/);
  });

  it("verifies it by name, with what it can't say", async () => {
    const endpoint = { name: "k8s-apiserver.homelab.test", ...balancer.endpoint };
    const peers = [one, two].map(({ name, address }) => machineOf(name, address));
    const servers = ["k8s-master", "k8s-master-2"];
    const verify = () =>
      verifyEndpoint(
        { endpoint, peers, servers },
        (options) => lookThrough({ ...options, apiPort: scene.apiPort }),
        async () => [endpoint.address],
      );
    assert.deepEqual(await verify(), {
      faults: [],
      connections: 12,
      reached: { "k8s-master": 6, "k8s-master-2": 6 },
      healthCheck: "not seen at work: every server was ready",
    });
    balancer.backends = [one.address];
    const { faults } = await verify();
    assert.equal(faults.length, 1);
    assert.match(faults[0] ?? "", /^k8s-master-2: it is ready, and none of 12 connections /);
  });

  it("watches what clients see while a server stops", async () => {
    const endpoint = { name: "127.0.0.1", ...balancer.endpoint };
    const peers = [one, two].map(({ name, address }) => machineOf(name, address));
    const behind = { endpoint, peers, machine: machineOf(two.name, two.address) };
    const told: string[] = [];
    const answer = await watchStop(
      behind,
      (line) => told.push(line),
      async () => {
        // The balancer has taken it out, and leads to nobody for a while.
        balancer.backends = [];
        for (const _ of ["first", "second"]) await once(scene.refusals, "refused");
        return "stopped";
      },
      scene.apiPort,
    );
    assert.equal(answer, "stopped");
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", /^warning: while k8s-master-2 stopped, .* ended without an answer/);
  });
});
