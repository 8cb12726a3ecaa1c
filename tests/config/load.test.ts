import assert from "node:assert/strict";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "../../config/configError.ts";
import { jsonSchema } from "../../config/jsonSchema.ts";
import { dnsTsigSecret, loadConfig, proxmoxToken, vmSecrets } from "../../config/load.ts";
import { parseConfig } from "../../config/parse.ts";
import { secretKeys, textKeys } from "../../config/schema.ts";
import { sampleHostKey } from "../support/samplePlan.ts";
import { fixtures, readFixture, type Fixture } from "./fixture.ts";

const SECRET = "c2VjcmV0";
/** Of which the host keys in the fixtures are made. */
const SEED = "0123456789abcdef0123456789abcdef";
const SECRETS = ["triad:dnsTsigSecret", "triad:proxmoxToken", "triad:hostKeySeed"];

/** Sets the config as the engine would: everything is text, secrets are decrypted and marked. */
function engineConfig(raw: Fixture["raw"], marked = SECRETS, seed = SEED): void {
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(raw)) texts[`triad:${key}`] = textOf(key, value, seed);
  pulumi.runtime.setAllConfig(texts, marked);
}

function textOf(key: string, value: unknown, seed: string): string {
  if (typeof value === "string") return value;
  if (value === null) return "";
  if (key === "hostKeySeed") return seed;
  return secretKeys.includes(key) ? SECRET : JSON.stringify(value);
}

function fixture(kind: "valid" | "invalid", name: string): Fixture {
  return readFixture(resolve(import.meta.dirname, `../fixtures/${kind}/${name}.yaml`));
}

describe("the stack's config, as the engine gives it", () => {
  afterEach(() => {
    pulumi.runtime.setAllConfig({});
  });

  for (const { name, raw } of fixtures("valid")) {
    it(`is the same as its file: ${name}`, () => {
      engineConfig(raw);
      assert.deepEqual(loadConfig(), parseConfig(raw));
    });
  }

  it("may have keys of others, but no unknown ones of ours", () => {
    engineConfig({ ...fixture("valid", "minimal").raw, "etcd:extraArgs": "x" });
    pulumi.runtime.setConfig("aws:region", "none");
    assert.throws(
      () => loadConfig(),
      (error) =>
        error instanceof ConfigError &&
        error.faults.length === 1 &&
        error.message.includes('etcd:extraArgs"]: is not a known key'),
    );
  });

  it("gives the secret as a secret, and only there", async () => {
    engineConfig(fixture("valid", "allKeys").raw);
    assert.ok(!JSON.stringify(loadConfig()).includes(SECRET));
    const secret = dnsTsigSecret();
    assert.ok(secret);
    assert.equal(await pulumi.isSecret(secret), true);
  });

  it("has no secret when none is given or it is empty", () => {
    engineConfig(fixture("valid", "minimal").raw);
    assert.equal(dnsTsigSecret(), undefined);
    engineConfig(fixture("valid", "emptySections").raw);
    assert.equal(dnsTsigSecret(), undefined);
  });

  it("gives what machines are created with as secrets, and the token once more for a look", async () => {
    engineConfig(fixture("valid", "proxmox").raw);
    const secrets = vmSecrets();
    assert.ok(secrets);
    assert.equal(await pulumi.isSecret(secrets.token), true);
    assert.equal(await pulumi.isSecret(secrets.hostKeySeed), true);
    assert.equal(proxmoxToken(), SECRET);
    const config = JSON.stringify(loadConfig());
    assert.ok(!config.includes(SEED) && !config.includes(SECRET));
    engineConfig(fixture("valid", "minimal").raw);
    assert.equal(vmSecrets(), undefined);
    assert.equal(proxmoxToken(), undefined);
  });

  it("says which host key a machine will have, where the file has another or none", () => {
    const { raw } = fixture("valid", "proxmox");
    const expected = parseConfig(raw).machines["k8s-master-2"]?.hostKey ?? "none";
    const other = JSON.stringify(raw["machines"]).replace(expected, sampleHostKey);
    const none = JSON.stringify(raw["machines"]).replace(`,"hostKey":"${expected}"`, "");
    for (const [machines, problem] of [
      [other, "is not the key that it will have"],
      [none, "is missing"],
    ] as const) {
      engineConfig({ ...raw, machines: JSON.parse(machines) });
      assert.throws(() => loadConfig(), {
        message: `machines.k8s-master-2.hostKey: ${problem}; give ${expected}, which is made of hostKeySeed`,
      });
    }
  });

  it("is refused with a seed that could be guessed", () => {
    engineConfig(fixture("valid", "proxmox").raw, SECRETS, "hunter2");
    assert.throws(
      () => loadConfig(),
      (error) =>
        error instanceof ConfigError &&
        error.faults.some(
          ({ path, problem }) => path === "hostKeySeed" && /^has 7 char/.test(problem),
        ) &&
        !error.message.includes("hunter2"),
    );
  });

  it("is refused with a secret in the clear, which is not repeated", () => {
    engineConfig(fixture("valid", "allKeys").raw, []);
    assert.throws(
      () => loadConfig(),
      (error) =>
        error instanceof ConfigError &&
        error.message.startsWith("dnsTsigSecret: is in the clear") &&
        !error.message.includes(SECRET),
    );
  });

  it("is refused with anything else encrypted", () => {
    engineConfig(fixture("valid", "minimal").raw, ["triad:machines"]);
    assert.throws(() => loadConfig(), /^ConfigError: machines: is encrypted/);
  });

  it("reads as text exactly what the schema takes as text", () => {
    const texts = Object.entries(jsonSchema.properties ?? {})
      .filter(([key, { type }]) => type === "string" || secretKeys.includes(key))
      .map(([key]) => key);
    assert.deepEqual([...textKeys].sort(), texts.sort());
  });
});
