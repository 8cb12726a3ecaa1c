import assert from "node:assert/strict";
import { resolve } from "node:path";
import { parseConfig } from "../../config/parse.ts";
import { schema } from "../../config/schema.ts";
import { fixtures, readFixture, type Fixture } from "./fixture.ts";

function fixture(name: string): Fixture {
  const found = fixtures("valid").find((each) => each.name === name);
  assert.ok(found, `there is no fixture ${name}`);
  return found;
}

describe("a valid stack file", () => {
  for (const { name, why, raw } of fixtures("valid")) {
    it(`${name}: ${why}`, () => {
      parseConfig(raw);
    });
  }

  it("gets its defaults", () => {
    const config = parseConfig(fixture("minimal").raw);
    assert.equal(config.initialServer, "k8s-master");
    assert.deepEqual(config.workers, []);
    assert.deepEqual(config.endpoint, {
      name: "k8s-apiserver.homelab.example",
      address: "10.0.20.99",
      prefixLength: 24,
      port: 6443,
      virtualRouterId: 99,
    });
    assert.equal("dns" in config, false);
    assert.deepEqual(config.ssh, { user: "ops", port: 22, agent: true });
    assert.equal(config.initialise, false);
    assert.deepEqual(config.artifacts, {
      binaries: "https://dl.k8s.io",
      k3s: "https://github.com/k3s-io/k3s/releases/download",
    });
    assert.equal("k3s" in config, false);
    assert.equal("pauseAfter" in config, false);
    assert.equal(config.podCidr, "10.244.0.0/16");
    assert.equal(config.serviceCidr, "10.96.0.0/12");
    assert.deepEqual(config.apiServer, { extraArgs: {} });
    assert.deepEqual(config.etcd, { extraArgs: {} });
    assert.deepEqual(config.backup, { directory: "backups" });
    assert.deepEqual(config.preflight, {
      diskGiB: 20,
      memoryMiB: 1700,
      clockDriftSeconds: 5,
      fsyncWarningMs: 10,
    });
    assert.deepEqual(config.machines["lb1"]?.ssh, { user: "ops", port: 22 });
    assert.equal(config.machines["lb1"].nodeName, "lb1");
    assert.equal(config.machines["lb1"].gone, false);
    assert.equal("becomes" in config.machines["lb1"], false);
    assert.equal(config.onDestroy, "leave");
  });

  it("has an initial server that lives, whatever initialServer says", () => {
    assert.equal(parseConfig(fixture("goneInitialServer").raw).initialServer, "shuttle");
    assert.equal(parseConfig(fixture("goneMajority").raw).initialServer, "shuttle");
    const { raw } = fixture("k3sAllKeys");
    const named = parseConfig({ ...raw, initialServer: "shuttle" });
    assert.equal(named.initialServer, "shuttle");
  });

  it("gets k3s's defaults, and servers that balance themselves on a port of their own", () => {
    const config = parseConfig(fixture("k3sMinimal").raw);
    assert.deepEqual(config.loadBalancers, []);
    assert.deepEqual(config.endpoint, {
      name: "192.168.1.4",
      address: "192.168.1.4",
      prefixLength: 24,
      port: 8443,
      virtualRouterId: 4,
    });
    assert.equal(config.podCidr, "10.42.0.0/16");
    assert.equal(config.serviceCidr, "10.43.0.0/16");
    assert.deepEqual(config.k3s, {
      config: {},
      snapshots: {
        schedule: "0 2 * * *",
        name: "etcd-snapshot",
        compress: true,
        retention: 14,
        directory: "/var/lib/triad/snapshots",
      },
      drain: false,
      keepRunning: [],
    });
    assert.equal(parseConfig(fixture("kubeadmOwnLoadBalancers").raw).endpoint.port, 8443);
  });

  it("takes an empty list of load balancers, the project's default, for none given", () => {
    const { raw } = fixture("k3sMinimal");
    assert.deepEqual(parseConfig({ ...raw, loadBalancers: [] }), parseConfig(raw));
  });

  it("keeps k3s's own keys as they are written, lists as lists", () => {
    const { k3s, artifacts, apiServer } = parseConfig(fixture("k3sAllKeys").raw);
    assert.deepEqual(k3s?.config, {
      disable: ["servicelb"],
      "write-kubeconfig-mode": "644",
      "secrets-encryption": true,
      "kubelet-arg": ["max-pods=200"],
    });
    assert.deepEqual(k3s.snapshots, {
      schedule: "30 */6 * * MON-FRI",
      name: "home",
      compress: false,
      retention: 5,
      directory: "/srv/snapshots",
    });
    assert.equal(artifacts.k3s, "http://192.168.1.2:8080/k3s");
    assert.equal(apiServer.extraArgs["anonymous-auth"], "true");
  });

  it("keeps what it says, with values of flags as text and URLs without a slash", () => {
    const config = parseConfig(fixture("allKeys").raw);
    assert.deepEqual(config.machines["k8s-master"]?.ssh, { user: "admin", port: 22 });
    assert.deepEqual(config.machines["k8s-node1"]?.ssh, { user: "root", port: 22 });
    assert.deepEqual(config.machines["lb1"]?.ssh, { user: "root", port: 2222 });
    assert.equal(config.machines["k8s-master"].nodeName, "master.homelab.example");
    assert.equal(config.machines["k8s-master"].interface, "ens18");
    assert.equal(config.endpoint.virtualRouterId, 7);
    assert.deepEqual(config.artifacts, {
      binaries: "http://10.0.20.1:8080/mirror",
      k3s: "https://github.com/k3s-io/k3s/releases/download",
      imageMirror: "http://10.0.20.1:5000",
    });
    assert.deepEqual(config.apiServer.extraArgs, {
      "audit-log-maxage": "7",
      profiling: "false",
      v: "2",
    });
    assert.deepEqual(config.etcd.extraArgs["snapshot-count"], "10000");
    assert.equal(config.dns?.tsig.algorithm, "hmac-sha512");
    assert.equal(config.machines["k8s-master"].becomes, "worker");
    assert.equal(config.machines["k8s-node1"].gone, true);
    assert.equal(config.onDestroy, "wipe");
    // It has let the wipe pass, and is no one's business after that.
    assert.equal("wipe" in config, false);
  });

  it("uses every key in allKeys and k3sAllKeys", () => {
    const used = new Set(
      ["allKeys", "k3sAllKeys"].flatMap((name) => Object.keys(fixture(name).raw)),
    );
    assert.deepEqual(
      Object.keys(schema.shape).filter((key) => !used.has(key)),
      [],
    );
  });

  it("means the same with empty keys as without them", () => {
    const { raw } = fixture("emptySections");
    const given = Object.entries(raw).filter(
      ([, value]) => value !== null && JSON.stringify(value).length > "[]".length,
    );
    assert.ok(given.length < Object.keys(raw).length);
    assert.deepEqual(parseConfig(raw), parseConfig(Object.fromEntries(given)));
  });

  it("holds no secret and can't be changed", () => {
    const config = parseConfig(fixture("allKeys").raw);
    assert.ok(!JSON.stringify(config).includes("bm90IGEgc2VjcmV0"));
    assert.ok(Object.isFrozen(config));
    assert.ok(Object.isFrozen(config.machines["lb1"]?.ssh));
    assert.ok(Object.isFrozen(config.servers));
  });

  const examples: [file: string, machines: number, distribution: string][] = [
    ["Pulumi.homelab.yaml", 7, "k3s"],
    ["Pulumi.kubeadm.yaml", 9, "kubeadm"],
    ["Pulumi.proxmox.yaml", 7, "kubeadm"],
  ];
  for (const [file, machines, distribution] of examples) {
    it(`may be ${file}, once it has a private key and a secret where it needs one`, () => {
      const { raw } = readFixture(resolve(import.meta.dirname, "../..", file));
      const secret = {
        ...("dns" in raw ? { dnsTsigSecret: { secure: "" } } : {}),
        ...("proxmox" in raw ? { proxmoxToken: { secure: "" }, hostKeySeed: { secure: "" } } : {}),
      };
      const config = parseConfig({ ...raw, ...secret }, { fileExists: () => true });
      const keys = Object.values(config.machines).map(({ hostKey }) => hostKey);
      assert.equal(config.distribution, distribution);
      assert.equal(keys.length, machines);
      assert.equal(new Set(keys).size, machines);
    });
  }

  it("gives a machine that is created what it says itself, what all have, and defaults", () => {
    const { machines, proxmox } = parseConfig(fixture("proxmoxImage").raw);
    assert.equal(machines["k8s-master"] && "vm" in machines["k8s-master"], false);
    assert.deepEqual(machines["k8s-master-2"]?.vm, {
      vmId: 205,
      node: "pve1",
      source: { kind: "template", vmId: 9000, node: "pve3" },
      cores: 4,
      memoryMiB: 16384,
      cpuType: "x86-64-v2-AES",
      disk: { interface: "scsi0", sizeGiB: 40, datastore: "local-lvm" },
      bridge: "vmbr0",
      tags: ["homelab", "triad"],
    });
    assert.deepEqual(machines["k8s-master-3"]?.vm, {
      vmId: 206,
      node: "pve2",
      source: { kind: "image", volume: "local:import/noble.qcow2" },
      cores: 8,
      memoryMiB: 32768,
      cpuType: "host",
      disk: { interface: "virtio0", sizeGiB: 64, datastore: "local-zfs" },
      bridge: "vmbr1",
      vlan: 20,
      tags: ["etcd", "k8s"],
      pool: "lab",
      startOrder: 3,
    });
    assert.deepEqual(proxmox, {
      endpoint: "https://pve.homelab.example:8006",
      insecure: true,
      hostReserveMiB: 8192,
      zfsCacheMiB: 2048,
      seedDatastore: "iso",
      packages: ["qemu-guest-agent"],
      network: {
        prefixLength: 22,
        gateway: "10.0.20.1",
        nameservers: ["10.0.20.53", "9.9.9.9"],
        searchDomain: "homelab.example",
      },
    });
  });

  it("may be the k3s example with its list grown as its comments say", () => {
    const { raw } = readFixture(resolve(import.meta.dirname, "../../Pulumi.homelab.yaml"));
    const servers = ["thinkpad-192-168-1-5", "shuttle-192-168-1-12", "hp-192-168-1-6"];
    const workers = ["odroid1", "odroid2", "odroid3", "odroid4"];
    const grown = { ...raw, servers, workers, pauseAfter: "shuttle-192-168-1-12" };
    assert.equal(parseConfig(grown, { fileExists: () => true }).pauseAfter, servers[1]);
  });
});
