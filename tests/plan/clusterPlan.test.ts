import assert from "node:assert/strict";
import { planCluster } from "../../plan/clusterPlan.ts";
import { sampleConfig } from "./sampleConfig.ts";

describe("the plan", () => {
  const one = sampleConfig({ servers: ["a"], workers: ["w1", "w2"], described: ["b", "c"] });
  const three = sampleConfig({ servers: ["a", "c", "b"], workers: ["w1", "w2"] });

  it("names everybody's role in the order of the lists", () => {
    const plan = planCluster(three);
    assert.deepEqual(
      plan.machines.map(({ name, role }) => `${name} ${role}`),
      [
        "lb1 load-balancer",
        "lb2 load-balancer",
        "a server",
        "c server",
        "b server",
        "w1 worker",
        "w2 worker",
      ],
    );
    assert.equal(plan.initialServer.name, "a");
  });

  it("lets workers be while there is one server, and moves them when there are more", () => {
    assert.equal(planCluster(one).moveWorkers, false);
    assert.equal(planCluster(three).moveWorkers, true);
  });

  it("has no role for a machine that is only described, but looks for a living server there", () => {
    const plan = planCluster(one);
    assert.ok(!plan.machines.some(({ name }) => name === "b"));
    assert.deepEqual(
      plan.peers.map(({ name }) => name),
      ["a", "b", "c", "w1", "w2"],
    );
  });

  it("prefers the first load balancer", () => {
    const priorities = planCluster(three).loadBalancers.map(({ name, priority }) => [
      name,
      priority,
    ]);
    assert.deepEqual(priorities, [
      ["lb1", 200],
      ["lb2", 199],
    ]);
  });

  it("has a record only if there is a DNS server, and no secret in it", () => {
    assert.equal("dnsRecord" in planCluster(one), false);
    const config = sampleConfig(
      { servers: ["a"] },
      {
        dns: { server: "10.0.20.53", zone: "homelab.example", tsig: { name: "triad" } },
        dnsTsigSecret: { secure: "hidden" },
      },
    );
    assert.deepEqual(planCluster(config).dnsRecord, {
      server: "10.0.20.53",
      port: 53,
      zone: "homelab.example",
      name: "api.homelab.example",
      address: "10.0.20.99",
      ttl: 60,
      tsig: { name: "triad", algorithm: "hmac-sha256" },
    });
  });

  const warnings: [servers: number, loadBalancers: string[], expected: RegExp[]][] = [
    [1, ["lb1", "lb2"], []],
    [2, ["lb1", "lb2"], [/^servers: 2 .*when either fails, the API is gone/]],
    [3, ["lb1", "lb2"], []],
    [4, ["lb1", "lb2"], [/^servers: 4 .*survive the loss of 1, as 3 would; list 3 or 5/]],
    [5, ["lb1"], [/^loadBalancers: lb1 is alone/]],
    [6, ["lb1"], [/^servers: 6 .*survive the loss of 2, as 5 would/, /^loadBalancers: lb1/]],
  ];
  for (const [count, loadBalancers, expected] of warnings) {
    it(`warns ${expected.length} times of ${count} servers behind ${loadBalancers.join()}`, () => {
      const servers = ["a", "b", "c", "d", "e", "f"].slice(0, count);
      const plan = planCluster(sampleConfig({ servers, loadBalancers }));
      assert.equal(plan.warnings.length, expected.length);
      expected.forEach((pattern, position) => {
        assert.match(plan.warnings[position] ?? "", pattern);
      });
    });
  }

  it("refuses a name that is not described, which no parsed config has", () => {
    assert.throws(
      () => planCluster({ ...one, servers: ["stranger"] }),
      /"stranger" is not described/,
    );
  });
});
