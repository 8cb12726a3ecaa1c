import assert from "node:assert/strict";
import { planCluster } from "../../plan/clusterPlan.ts";
import { present } from "../../plan/present.ts";
import { sampleConfig, sampleK3sConfig } from "./sampleConfig.ts";

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

  it("has the servers balance themselves, each machine once, where none is named for it", () => {
    const plan = planCluster(sampleK3sConfig({ servers: ["a", "c", "b"], workers: ["w1"] }));
    assert.equal(plan.ownLoadBalancers, true);
    assert.deepEqual(
      plan.loadBalancers.map(({ name, role, priority }) => `${name} ${role} ${priority}`),
      ["a server 200", "c server 199", "b server 198"],
    );
    assert.deepEqual(
      plan.machines.map(({ name, role }) => `${name} ${role}`),
      ["a server", "c server", "b server", "w1 worker"],
    );
    assert.deepEqual(
      plan.peers.map(({ name }) => name),
      ["a", "b", "c", "w1"],
    );
    assert.equal(plan.endpoint.name, plan.endpoint.address);
  });

  it("converts the datastore on k3s as soon as there is more than one server", () => {
    assert.equal(planCluster(sampleK3sConfig({ servers: ["a"] })).convert, false);
    assert.equal(planCluster(sampleK3sConfig({ servers: ["a", "b"] })).convert, true);
    const paused = sampleK3sConfig({ servers: ["a", "b"] }, { pauseAfter: "a" });
    assert.equal(planCluster(paused).convert, false);
    assert.equal(planCluster(three).convert, false);
  });

  it("says of k3s what the config says, and of kubeadm nothing", () => {
    const k3s = { drain: true, keepRunning: ["kube-system/coredns"], snapshots: { retention: 3 } };
    const plan = planCluster(sampleK3sConfig({ servers: ["a"] }, { k3s }));
    assert.equal(plan.drain, true);
    assert.deepEqual(plan.keepRunning, ["kube-system/coredns"]);
    assert.equal(plan.snapshots?.retention, 3);
    const kubeadm = planCluster(one);
    assert.equal(kubeadm.drain, false);
    assert.deepEqual(kubeadm.keepRunning, []);
    assert.equal("snapshots" in kubeadm, false);
  });

  it("stops at the pause: who is behind it has no role, but may hold a living server", () => {
    const config = sampleK3sConfig({ servers: ["a", "b", "c"] }, { pauseAfter: "b" });
    const plan = planCluster(config);
    assert.deepEqual(
      plan.machines.map(({ name }) => name),
      ["a", "b"],
    );
    assert.deepEqual(
      plan.loadBalancers.map(({ name }) => name),
      ["a", "b"],
    );
    assert.deepEqual(
      plan.peers.map(({ name }) => name),
      ["a", "b", "c"],
    );
    assert.deepEqual(plan.warnings, [
      "pauseAfter: paused with 2 of 3 servers: when either fails, the API is gone until it returns; " +
        "remove the key to go on with c",
    ]);
  });

  it("warns of a pause at an odd number too, but not of its quorum", () => {
    const config = sampleK3sConfig({ servers: ["a", "b", "c", "d", "e"] }, { pauseAfter: "c" });
    assert.deepEqual(planCluster(config).warnings, [
      "pauseAfter: paused with 3 of 5 servers; remove the key to go on with d, e",
    ]);
  });

  it("warns of a k3s that may not let a server leave, also while there is one", () => {
    const config = sampleK3sConfig({ servers: ["a"] }, { version: "v1.33.5+k3s1" });
    const { warnings } = planCluster(config);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^version: k3s v1\.33\.5\+k3s1 .*upgrade to v1\.33\.6\+k3s1/);
  });

  describe("with machines that are gone", () => {
    const goneConfig = (
      gone: readonly string[],
      names = { servers: ["a", "b", "c"], workers: ["w1"] },
    ) => {
      const config = sampleConfig(names);
      const machines = Object.entries(config.machines).map(([name, machine]) => [
        name,
        { ...machine, gone: gone.includes(name) },
      ]);
      return { ...config, machines: Object.fromEntries(machines) };
    };

    it("keeps their places, so that nothing of the others changes", () => {
      const { servers, loadBalancers, peers, ...before } = planCluster(goneConfig([]));
      const after = planCluster(goneConfig(["c", "lb1"]));
      const flags = (machines: readonly { name: string; gone: boolean }[]): string[] =>
        machines.map(({ name, gone }) => (gone ? `${name} gone` : name));
      assert.deepEqual(flags(after.servers), ["a", "b", "c gone"]);
      assert.deepEqual(flags(after.loadBalancers), ["lb1 gone", "lb2"]);
      assert.deepEqual(
        after.loadBalancers.map(({ priority }) => priority),
        loadBalancers.map(({ priority }) => priority),
      );
      assert.deepEqual(
        after.peers.map(({ name }) => name),
        peers.map(({ name }) => name),
      );
      assert.equal(after.convert, before.convert);
      assert.equal(after.moveWorkers, servers.length > 1);
    });

    it("warns at every run of what is to be done next, and judges parity by those that live", () => {
      const { warnings } = planCluster(goneConfig(["c", "lb1"]));
      assert.match(warnings.join("\n"), /machines\.c\.gone: .* take c off servers/);
      assert.match(warnings.join("\n"), /machines\.lb1\.gone: .* take lb1 off loadBalancers/);
      assert.match(warnings.join("\n"), /servers: 2 servers have no more quorum than 1/);
      assert.match(warnings.join("\n"), /loadBalancers: lb2 is alone/);
    });

    it("says who of a list lives", () => {
      const { servers } = planCluster(goneConfig(["b"]));
      assert.deepEqual(
        present(servers).map(({ name }) => name),
        ["a", "c"],
      );
    });
  });

  it("warns of an end that is not the usual one", () => {
    const ends: [string, Record<string, string>, RegExp][] = [
      ["forget", {}, /^onDestroy: pulumi destroy forgets sample/],
      ["wipe", { wipe: "sample" }, /^onDestroy: pulumi destroy wipes the last server of sample/],
    ];
    for (const [onDestroy, more, expected] of ends) {
      const plan = planCluster(sampleConfig({ servers: ["a"] }, { onDestroy, ...more }));
      assert.equal(plan.onDestroy, onDestroy);
      assert.equal(plan.warnings.length, 1);
      assert.match(plan.warnings[0] ?? "", expected);
    }
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
