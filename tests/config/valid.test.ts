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
    assert.deepEqual(config.artifacts, { binaries: "https://dl.k8s.io" });
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
      imageMirror: "http://10.0.20.1:5000",
    });
    assert.deepEqual(config.apiServer.extraArgs, {
      "audit-log-maxage": "7",
      profiling: "false",
      v: "2",
    });
    assert.deepEqual(config.etcd.extraArgs["snapshot-count"], "10000");
    assert.equal(config.dns?.tsig.algorithm, "hmac-sha512");
  });

  it("uses every key in allKeys", () => {
    const used = new Set(Object.keys(fixture("allKeys").raw));
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

  it("may be the example, once it has a secret and a private key", () => {
    const { raw } = readFixture(resolve(import.meta.dirname, "../../Pulumi.homelab.yaml"));
    const config = parseConfig(
      { ...raw, dnsTsigSecret: { secure: "" } },
      { fileExists: () => true },
    );
    assert.equal(Object.keys(config.machines).length, 9);
    const host = Object.values(config.machines).map(({ hostKey }) => hostKey);
    assert.equal(new Set(host).size, 9);
  });
});
