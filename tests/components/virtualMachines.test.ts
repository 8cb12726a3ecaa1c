import { strict as assert } from "node:assert";
import { readFileSync, rmSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "../../components/cluster.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { filesOfIso } from "../../seed/iso.ts";
import { type Registered, registeredBy } from "../support/mocks.ts";
import { samplePlan, withVms } from "../support/samplePlan.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"];
const SEED = "0123456789abcdef0123456789abcdef";
const TOKEN = "root@pam!triad=00000000-1111-2222-3333-444444444444";
const vmType = "proxmoxve:index/vmLegacy:VmLegacy";
const fileType = "proxmoxve:index/fileLegacy:FileLegacy";

const two = { "k8s-master-2": { vmId: 205 }, "k8s-master-3": { vmId: 206 } };

function build(
  plan: ClusterPlan,
  creating?: (registered: Registered) => Promise<void>,
): Promise<Registered[]> {
  return registeredBy(() => {
    const vmSecrets = { token: pulumi.secret(TOKEN), hostKeySeed: pulumi.secret(SEED) };
    const tsigSecret = pulumi.secret("dHNpZw==");
    new Cluster("homelab", { plan, tsigSecret, vmSecrets, auditPolicy: "" });
  }, creating);
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a test parses it also checks
type Inputs = Record<string, any>;

function find(registered: readonly Registered[], type: string, name: string): Inputs {
  const found = registered.find((one) => one.type === type && one.name === name);
  assert.ok(found, `${type} ${name} is not registered`);
  return found.inputs;
}

function text(value: unknown): string {
  return JSON.stringify(value);
}

describe("the virtual machines of a cluster", () => {
  let registered: readonly Registered[];
  before(async () => {
    registered = await build(samplePlan(three, withVms(two)));
  });
  after(() => {
    rmSync(".triad/seeds/homelab", { recursive: true, force: true });
  });

  it("are made for the machines that have none, one resource each", () => {
    const names = (type: string): string[] =>
      registered.filter((one) => one.type === type).map(({ name }) => name);
    assert.deepEqual(names(vmType), ["k8s-master-2-vm", "k8s-master-3-vm"]);
    assert.deepEqual(names(fileType), ["k8s-master-2-seed", "k8s-master-3-seed"]);
    assert.deepEqual(names("triad:index:VirtualMachine"), ["k8s-master-2", "k8s-master-3"]);
    assert.deepEqual(names("pulumi:providers:proxmoxve"), ["homelab-proxmox"]);
  });

  it("are clones that nobody restarts, balloons or shuts down for half an hour", () => {
    const vm = find(registered, vmType, "k8s-master-2-vm");
    assert.deepEqual(vm, {
      name: "k8s-master-2",
      nodeName: "pve1",
      vmId: 205,
      tags: ["homelab", "triad"],
      clone: { vmId: 9000, nodeName: "pve1", datastoreId: "local-lvm", full: true, retries: 5 },
      operatingSystem: { type: "l26" },
      serialDevices: [{ device: "socket" }],
      cpu: { cores: 4, sockets: 1, type: "x86-64-v2-AES" },
      memory: { dedicated: 8192, floating: 0 },
      disks: [{ interface: "scsi0", datastoreId: "local-lvm", size: 40, discard: "on" }],
      networkDevices: [{ bridge: "vmbr0", model: "virtio" }],
      cdrom: { fileId: "k8s-master-2-seed", interface: "ide2" },
      smbios: { serial: "k8s-master-2" },
      agent: { enabled: true, waitForIp: { disabled: true } },
      onBoot: true,
      started: true,
      rebootAfterUpdate: false,
      stopOnDestroy: true,
    });
  });

  it("are what the config says, from an image too", async () => {
    const said = {
      ...{ vmId: 205, node: "pve2", image: "local:import/noble.qcow2", cores: 8, memoryMiB: 32768 },
      ...{ cpuType: "host", disk: "virtio0", diskGiB: 64, datastore: "fast", bridge: "vmbr1" },
      ...{ vlan: 20, tags: ["k8s", "etcd"], pool: "lab", startOrder: 3 },
    };
    const all = await build(samplePlan(three, withVms({ "k8s-master-2": said })));
    const vm = find(all, vmType, "k8s-master-2-vm");
    assert.equal("clone" in vm, false);
    assert.deepEqual(vm["tags"], ["etcd", "k8s"]);
    assert.equal(vm["poolId"], "lab");
    assert.deepEqual(vm["startup"], { order: 3 });
    assert.equal(vm["networkDevices"][0].vlanId, 20);
    assert.deepEqual(vm["disks"], [
      {
        interface: "virtio0",
        datastoreId: "fast",
        size: 64,
        discard: "on",
        importFrom: "local:import/noble.qcow2",
      },
    ]);
    assert.deepEqual(vm["bootOrders"], ["virtio0"]);
  });

  it("know their host key before they are, by a seed that only its owner may read", () => {
    const file = find(registered, fileType, "k8s-master-2-seed");
    assert.equal(file["contentType"], "iso");
    assert.equal(file["datastoreId"], "local");
    assert.equal(file["sourceFile"].fileName, "triad-205-k8s-master-2.iso");
    const { path } = file["sourceFile"];
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const seed = filesOfIso(readFileSync(path));
    assert.match(seed["user-data"] ?? "", /^#cloud-config\n[^]*ed25519_public: ssh-ed25519 AAAA/);
    assert.match(seed["network-config"] ?? "", /- 10\.0\.20\.110\/24/);
    assert.doesNotMatch(text(registered.map(({ inputs }) => inputs)), /OPENSSH PRIVATE KEY/);
  });

  it("keep the token and the seed of all keys secret", () => {
    const plain = text(
      registered.map(({ inputs }) =>
        Object.entries(inputs).filter(([, value]) => !isSecret(value)),
      ),
    );
    assert.ok(!plain.includes(TOKEN) && !plain.includes(SEED));
    assert.ok(
      isSecret(find(registered, "pulumi:providers:proxmoxve", "homelab-proxmox")["apiToken"]),
    );
  });

  it("are dialled for as long as they may boot, and everything there is done anew in another life", () => {
    const command = (name: string): Inputs => find(registered, "command:remote:Command", name);
    assert.match(text(command("k8s-master-2-booted")["connection"]), /"dialErrorLimit":60/);
    assert.match(text(command("k8s-master-preflight")["connection"]), /"dialErrorLimit":3/);
    for (const name of [
      "k8s-master-2-booted",
      "k8s-master-2-preflight",
      "k8s-master-2-kubernetes",
    ]) {
      assert.match(text(command(name)["stdin"]), /BORN='MAC of 205'/, name);
    }
    // A server's machine is asked before it goes whether it is one still.
    assert.ok(command("k8s-master-2-booted")["delete"]);
    const membership = find(registered, "command:local:Command", "k8s-master-2-membership");
    assert.equal(JSON.parse(String(membership["stdin"])).born, "MAC of 205");
    const other = find(registered, "command:local:Command", "k8s-master-membership");
    assert.doesNotMatch(String(other["stdin"]), /born/);
  });

  it("change nothing on the other servers, and are not told to them", async () => {
    const without = await build(samplePlan(three));
    const inputs = (all: readonly Registered[], name: string): string =>
      text(
        all.find((one) => one.name === name && one.type.startsWith("command:"))?.inputs["stdin"],
      );
    for (const name of ["k8s-master-membership", "k8s-master-preflight", "homelab-control-plane"]) {
      assert.equal(inputs(registered, name), inputs(without, name), name);
    }
    assert.ok(!without.some(({ type }) => type.includes("proxmox")));
  });

  it("are not made for a machine that is gone, or has no role", async () => {
    const machines = withVms(two)["machines"];
    assert.ok(typeof machines === "object" && machines !== null);
    const gone = { ...Reflect.get(machines, "k8s-master-3"), gone: true };
    const overrides = { ...withVms(two), machines: { ...machines, "k8s-master-3": gone } };
    const all = await build(samplePlan(three, overrides));
    assert.deepEqual(
      all.filter(({ type }) => type === vmType).map(({ name }) => name),
      ["k8s-master-2-vm"],
    );
    const one = await build(samplePlan(["k8s-master"], withVms(two)));
    assert.ok(!one.some(({ type }) => type.includes("proxmox")));
  });

  it("are cloned one after the other of one template, and at once of two", async () => {
    const most = async (plan: ClusterPlan): Promise<{ at: number; order: string[] }> => {
      const running = new Set<string>();
      let at = 0;
      const all = await build(plan, async ({ type, name }) => {
        if (type !== vmType) return;
        running.add(name);
        at = Math.max(at, running.size);
        await sleep(60);
        running.delete(name);
      });
      return { at, order: all.filter(({ type }) => type === vmType).map(({ name }) => name) };
    };
    const list = ["k8s-master", "k8s-master-3", "k8s-master-2"];
    assert.deepEqual(await most(samplePlan(list, withVms(two))), {
      at: 1,
      order: ["k8s-master-3-vm", "k8s-master-2-vm"],
    });
    const other = { ...two, "k8s-master-3": { vmId: 206, template: 9001 } };
    assert.equal((await most(samplePlan(list, withVms(other)))).at, 2);
  });

  it("of a new cluster may all be silent but those that are its servers", async () => {
    const all = { "k8s-master": { vmId: 200 }, ...two };
    const plan = samplePlan(["k8s-master"], { ...withVms(all), initialise: true });
    const told = find(await build(plan), "command:local:Command", "homelab-control-plane")["stdin"];
    assert.deepEqual(JSON.parse(String(told)).absent, ["k8s-master-2", "k8s-master-3"]);
    const adopted = await build(samplePlan(["k8s-master"], withVms(two)));
    const known = find(adopted, "command:local:Command", "homelab-control-plane")["stdin"];
    assert.doesNotMatch(String(known), /absent/);
  });
});

function isSecret(value: unknown): boolean {
  return (
    value !== null &&
    typeof value === "object" &&
    Object.values(value).includes("1b47061264138c4ac30d75fd1eb44270")
  );
}
