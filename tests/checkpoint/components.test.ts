import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "../../components/cluster.ts";
import { checkpointedServers } from "../../plan/checkpoints.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { type Registered, registeredBy } from "../support/mocks.ts";
import { sampleHostKey, samplePlan, type SampleVms, withVms } from "../support/samplePlan.ts";

const TOKEN = "root@pam!triad=00000000-1111-2222-3333-444444444444";
const two: SampleVms = { "k8s-master-2": { vmId: 205 } };
const checkpoints = { keep: 2, existing: { "k8s-master": 200 } };
const servers = ["k8s-master", "k8s-master-2"];

function build(plan: ClusterPlan, auditPolicy = ""): Promise<Registered[]> {
  return registeredBy(() => {
    const vmSecrets = { token: pulumi.secret(TOKEN), hostKeySeed: pulumi.secret("0".repeat(32)) };
    new Cluster("homelab", { plan, tsigSecret: pulumi.secret("dHNpZw=="), vmSecrets, auditPolicy });
  });
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a test parses it also checks
type Inputs = Record<string, any>;

function find(registered: readonly Registered[], name: string): Inputs {
  const found = registered.find((one) => one.name === name && one.type.startsWith("command:"));
  assert.ok(found, `${name} is not registered`);
  return found.inputs;
}

const told = (registered: readonly Registered[], name: string): Inputs =>
  JSON.parse(find(registered, name)["stdin"]);

/** Of machines like those of {@link withVms}, one went back. */
function withOneBack(to: string): Readonly<Record<string, unknown>> {
  const { machines, ...rest } = withVms(two, { checkpoints });
  return { ...rest, machines: { ...Object(machines), "k8s-master-2": back(to) } };
}

function back(rolledBack: string): object {
  const proxmox = two["k8s-master-2"];
  return { address: "10.0.20.110", hostKey: sampleHostKey, proxmox, rolledBack };
}

describe("the checkpoints of a cluster", () => {
  after(() => {
    rmSync(".triad/seeds/homelab", { recursive: true, force: true });
  });

  it("are of servers that are virtual machines, whoever created them, and of none by default", () => {
    const numbers = (plan: ClusterPlan): unknown =>
      checkpointedServers(plan).map(({ machine, vmId }) => [machine.name, vmId]);
    const vms = { ...two, lb1: { vmId: 197 } };
    assert.deepEqual(numbers(samplePlan(servers, withVms(vms, { checkpoints }))), [
      ["k8s-master", 200],
      ["k8s-master-2", 205],
    ]);
    assert.deepEqual(numbers(samplePlan(servers, withVms(vms))), []);
  });

  it("are one command after the backup, with the token as a secret of its own", async () => {
    const registered = await build(samplePlan(servers, withVms(two, { checkpoints })));
    const inputs = find(registered, "homelab-checkpoints");
    assert.equal(inputs["create"], "node acts/main.ts checkpoints create");
    assert.equal("delete" in inputs, false);
    const secret = inputs["environment"];
    // As the SDK hands secrets over to a provider.
    assert.equal(secret["4dabf18193072939515e22adb298388d"], "1b47061264138c4ac30d75fd1eb44270");
    assert.deepEqual(secret["value"], { PROXMOX_VE_API_TOKEN: TOKEN });
    assert.doesNotMatch(inputs["stdin"], /00000000-1111/);
    const { guests, keep, clusterName, proxmox } = told(registered, "homelab-checkpoints");
    assert.deepEqual(
      guests.map(({ machine, vmId }: Inputs) => [machine.name, vmId]),
      [
        ["k8s-master", 200],
        ["k8s-master-2", 205],
      ],
    );
    const endpoint = "https://pve.homelab.test:8006";
    assert.deepEqual(
      { keep, clusterName, proxmox },
      {
        keep: 2,
        clusterName: "homelab",
        proxmox: { endpoint, insecure: false },
      },
    );
    const order = registered.map(({ name }) => name);
    const at = (name: string): number => order.indexOf(name);
    assert.ok(at("homelab-backup") < at("homelab-checkpoints"));
    assert.ok(at("homelab-checkpoints") < at("homelab-control-plane"));
  });

  it("are not registered where nobody asks for them, or no server is there", async () => {
    for (const overrides of [withVms(two), withVms({ lb1: { vmId: 197 } }, { checkpoints: {} })]) {
      const names = (await build(samplePlan(servers, overrides))).map(({ name }) => name);
      assert.ok(!names.includes("homelab-checkpoints"));
    }
  });

  it("are taken anew for what changes servers, and for nothing else", async () => {
    const change = async (more: Inputs = {}, list = servers, policy = ""): Promise<string> => {
      const plan = samplePlan(list, { ...withVms(two, { checkpoints }), ...more });
      return JSON.stringify(told(await build(plan, policy), "homelab-checkpoints")["change"]);
    };
    const before = await change();
    assert.equal(await change(), before);
    const keep = withVms(two, { checkpoints: { ...checkpoints, keep: 5 } });
    assert.equal(await change(keep), before);
    assert.equal(await change({ backup: { directory: "elsewhere" } }), before);
    // It would take the place of the one that it went back to.
    assert.equal(await change(withOneBack("triad-20260101T200000Z")), before);
    const flag = { apiServer: { extraArgs: { v: "4" } } };
    for (const other of [
      await change(flag),
      await change({}, [...servers, "k8s-master-3"]),
      await change({}, servers, "kind: Policy"),
    ]) {
      assert.notEqual(other, before);
    }
  });
});

describe("a machine that went back", () => {
  after(() => {
    rmSync(".triad/seeds/homelab", { recursive: true, force: true });
  });

  it("has another life: all is done anew on it, and on no other", async () => {
    const one = await build(samplePlan(servers, withVms(two, { checkpoints })));
    const other = await build(samplePlan(servers, withOneBack("triad-20260101T200000Z")));
    const changed = other.filter(({ name, inputs, type }) => {
      if (!type.startsWith("command:")) return false;
      return JSON.stringify(find(one, name)) !== JSON.stringify(inputs);
    });
    assert.deepEqual(changed.map(({ name }) => name).sort(), [
      "homelab-control-plane",
      "k8s-master-2-booted",
      "k8s-master-2-kubernetes",
      "k8s-master-2-membership",
      "k8s-master-2-preflight",
    ]);
    const born = "MAC of 205 triad-20260101T200000Z";
    assert.equal(told(other, "k8s-master-2-membership")["born"], born);
    assert.match(
      find(other, "k8s-master-2-kubernetes")["stdin"],
      new RegExp(`^BORN='${born}'$`, "m"),
    );
    const { rolledBack } = told(other, "homelab-control-plane");
    assert.deepEqual(rolledBack, { "k8s-master-2": "triad-20260101T200000Z" });
  });
});
