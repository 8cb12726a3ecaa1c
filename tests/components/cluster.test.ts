import { strict as assert } from "node:assert";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "../../components/cluster.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { type Registered, registeredBy } from "../support/mocks.ts";
import { samplePlan } from "../support/samplePlan.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"];

function build(plan: ClusterPlan): Promise<Registered[]> {
  return registeredBy(() => {
    new Cluster("homelab", { plan, tsigSecret: pulumi.secret("dHNpZw=="), auditPolicy: "" });
  });
}

function names(registered: readonly Registered[], type: string): string[] {
  return registered.filter((one) => one.type === type).map(({ name }) => name);
}

function stdin(registered: readonly Registered[], name: string): unknown {
  return registered.find((one) => one.name === name)?.inputs["stdin"];
}

describe("the cluster's resources", () => {
  it("are one capability on one machine each, named after the machine", async () => {
    const registered = await build(samplePlan(three));
    assert.deepEqual(names(registered, "triad:index:Server"), three);
    assert.deepEqual(
      names(registered, "command:local:Command").sort(),
      [
        "homelab-backup",
        "homelab-control-plane",
        "homelab-coredns",
        "homelab-kube-proxy",
        "homelab-up",
        "homelab-verified",
        "k8s-master-2-membership",
        "k8s-master-3-membership",
        "k8s-master-membership",
        "k8s-node1-worker",
        "k8s-node2-worker",
      ].sort(),
    );
    assert.deepEqual(
      names(registered, "command:remote:Command").sort(),
      [
        ...["lb1", "lb2"].flatMap((lb) => [`${lb}-haproxy`, `${lb}-keepalived`, `${lb}-preflight`]),
        ...[...three, "k8s-node1", "k8s-node2"].flatMap((one) => [
          `${one}-kubernetes`,
          `${one}-preflight`,
        ]),
        "homelab-dns",
      ].sort(),
    );
  });

  it("move no worker while there is one server", async () => {
    const registered = await build(samplePlan());
    for (const what of ["homelab-kube-proxy", "homelab-coredns", "k8s-node1-worker"]) {
      assert.match(String(stdin(registered, what)), /"move":false/);
    }
    const grown = await build(samplePlan(three));
    assert.doesNotMatch(String(stdin(grown, "k8s-node1-worker")), /"move"/);
  });

  it("register memberships before what waits for them, so that one operation at a time is enough", async () => {
    const order = (await build(samplePlan(three))).map(({ name }) => name);
    const lastMembership = Math.max(...three.map((one) => order.indexOf(`${one}-membership`)));
    for (const later of ["homelab-kube-proxy", "k8s-node1-worker", "homelab-verified"]) {
      assert.ok(order.indexOf(later) > lastMembership, `${later} comes before a membership`);
    }
  });

  it("let servers join in the order of the list", async () => {
    const list = ["k8s-master", "k8s-master-3", "k8s-master-2"];
    const order = (await build(samplePlan(list))).map(({ name }) => name);
    const memberships = order.filter((name) => name.endsWith("-membership"));
    assert.deepEqual(
      memberships,
      list.map((name) => `${name}-membership`),
    );
  });

  it("stay the same for a server when the list grows by described machines", async () => {
    const before = await build(samplePlan(["k8s-master"]));
    const after = await build(samplePlan(three));
    for (const name of [
      "k8s-master-membership",
      "k8s-master-preflight",
      "k8s-master-kubernetes",
      "homelab-control-plane",
      "homelab-dns",
    ]) {
      assert.deepEqual(stdin(after, name), stdin(before, name), name);
    }
  });

  it("keep every secret wrapped", async () => {
    const registered = await build(samplePlan(three));
    const plain = JSON.stringify(
      registered.map(({ inputs }) =>
        Object.entries(inputs).filter(([, value]) => !isSecret(value)),
      ),
    );
    assert.ok(!plain.includes("s3cr3t"), "the statistics password is in plain inputs");
    assert.ok(!plain.includes("dHNpZw=="), "the TSIG key is in plain inputs");
  });

  it("never combine triggers with a delete, and always say how to update", async () => {
    for (const { name, type, inputs } of await build(samplePlan(three))) {
      if (!type.startsWith("command:")) continue;
      assert.equal(inputs["triggers"], undefined, name);
      assert.ok(inputs["update"], name);
    }
  });

  it("have URNs of their own", async () => {
    const registered = await build(samplePlan(three));
    const keys = registered.map(({ type, name }) => `${type}::${name}`);
    assert.equal(new Set(keys).size, keys.length);
  });
});

function isSecret(value: unknown): boolean {
  return (
    value !== null &&
    typeof value === "object" &&
    Object.values(value).includes("1b47061264138c4ac30d75fd1eb44270")
  );
}
