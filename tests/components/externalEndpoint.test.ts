import { strict as assert } from "node:assert";
import { rmSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import {
  controlPlaneRequest,
  endpointRequest,
  membershipRequest,
  verificationRequest,
} from "../../acts/request.ts";
import { Cluster } from "../../components/cluster.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { type Registered, registeredBy } from "../support/mocks.ts";
import { samplePlan, withVms } from "../support/samplePlan.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"];
const external = {
  endpoint: { name: "k8s-apiserver.homelab.test", address: "10.0.20.99", external: true },
  loadBalancers: [],
};

function build(plan: ClusterPlan): Promise<Registered[]> {
  return registeredBy(() => {
    const vmSecrets = { token: pulumi.secret("token"), hostKeySeed: pulumi.secret("s".repeat(32)) };
    const tsigSecret = pulumi.secret("dHNpZw==");
    new Cluster("homelab", { plan, tsigSecret, vmSecrets, auditPolicy: "" });
  });
}

function inputs(registered: readonly Registered[], name: string): Record<string, unknown> {
  const found = registered.find((one) => one.type.startsWith("command:") && one.name === name);
  assert.ok(found, `${name} is not registered`);
  return found.inputs;
}

function told(registered: readonly Registered[], name: string): unknown {
  return JSON.parse(String(inputs(registered, name)["stdin"]));
}

describe("a cluster whose endpoint somebody else balances", () => {
  let registered: readonly Registered[];
  before(async () => {
    registered = await build(samplePlan(three, external));
  });

  after(() => {
    rmSync(".triad/seeds/homelab", { recursive: true, force: true });
  });

  it("has nothing of a load balancer, and all else", () => {
    const names = registered.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => /haproxy|keepalived|stats-password|readiness/.test(name)),
      [],
    );
    assert.deepEqual(
      registered.filter(({ type }) => type === "triad:index:LoadBalancer"),
      [],
    );
    for (const name of ["homelab-up", "homelab-verified", "k8s-master-3-membership"]) {
      assert.ok(names.includes(name), name);
    }
  });

  it("tells every act that needs to know that nobody can be told", () => {
    for (const name of three) {
      const request = membershipRequest.parse(told(registered, `${name}-membership`));
      assert.equal(request.balancers, "external");
      assert.deepEqual(request.flags.later, ["shutdown-delay-duration"]);
    }
    const verified = verificationRequest.parse(told(registered, "homelab-verified"));
    assert.equal(verified.balancers, "external");
    assert.deepEqual(verified.dns, { server: "10.0.20.53", port: 53 });
    assert.equal(endpointRequest.parse(told(registered, "homelab-up")).balancers, "external");
    const { flags } = controlPlaneRequest.parse(told(registered, "homelab-control-plane"));
    assert.equal(flags.apiServer["shutdown-delay-duration"], "15s");
  });

  it("writes its record from the initial server, and waits for one that is created", async () => {
    const { connection } = inputs(registered, "homelab-dns");
    assert.match(JSON.stringify(connection), /10\.0\.20\.100/);
    const created = withVms({ "k8s-master": { vmId: 200 } });
    const order = (await build(samplePlan(["k8s-master"], { ...created, ...external }))).map(
      ({ type, name }) => `${type} ${name}`,
    );
    const at = (what: string): number => order.indexOf(what);
    const machine = at("command:remote:Command k8s-master-kubernetes");
    assert.ok(machine >= 0);
    assert.ok(at("command:remote:Command homelab-dns") > machine);
    assert.ok(at("command:local:Command homelab-up") > machine);
  });

  it("takes its record back in a wipe, unless the machine that wrote it is destroyed before", async () => {
    const wipe = { ...external, onDestroy: "wipe", wipe: "homelab" };
    const created = withVms({ "k8s-master": { vmId: 200 } });
    const exists = inputs(await build(samplePlan(["k8s-master"], wipe)), "homelab-dns");
    const goes = inputs(
      await build(samplePlan(["k8s-master"], { ...created, ...wipe })),
      "homelab-dns",
    );
    assert.match(String(exists["delete"]), /remove/);
    assert.equal("delete" in goes, false);
  });

  it("stays the same for a server when the list grows", async () => {
    const before = await build(samplePlan(["k8s-master"], external));
    for (const name of ["k8s-master-membership", "homelab-control-plane", "homelab-up"]) {
      assert.deepEqual(told(registered, name), told(before, name), name);
    }
  });
});

describe("a cluster with load balancers of its own", () => {
  it("is told nothing of all that", async () => {
    for (const plan of [samplePlan(three), samplePlan(three, { loadBalancers: [] })]) {
      const registered = await build(plan);
      const acts = registered.filter(({ type }) => type === "command:local:Command");
      assert.ok(acts.length > 5);
      const all = JSON.stringify(acts.map(({ inputs: { stdin } }) => stdin));
      assert.doesNotMatch(all, /external|shutdown-delay-duration|"later/);
      assert.equal("dns" in Object(told(registered, "homelab-verified")), false);
    }
  });
});
