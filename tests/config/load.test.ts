import assert from "node:assert/strict";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "../../config/configError.ts";
import { jsonSchema } from "../../config/jsonSchema.ts";
import { dnsTsigSecret, loadConfig } from "../../config/load.ts";
import { parseConfig } from "../../config/parse.ts";
import { textKeys } from "../../config/schema.ts";
import { fixtures, readFixture, type Fixture } from "./fixture.ts";

const SECRET = "c2VjcmV0";

/** Sets the config as the engine would: everything is text, secrets are decrypted and marked. */
function engineConfig(raw: Fixture["raw"], marked = ["triad:dnsTsigSecret"]): void {
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(raw)) texts[`triad:${key}`] = textOf(key, value);
  pulumi.runtime.setAllConfig(texts, marked);
}

function textOf(key: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null) return "";
  return key === "dnsTsigSecret" ? SECRET : JSON.stringify(value);
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
      .filter(([key, { type }]) => type === "string" || key === "dnsTsigSecret")
      .map(([key]) => key);
    assert.deepEqual([...textKeys].sort(), texts.sort());
  });
});
