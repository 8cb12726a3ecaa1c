import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { jsonSchema, type JsonSchema } from "../../config/jsonSchema.ts";
import { secretKeys } from "../../config/schema.ts";

describe("the config's schema", () => {
  it("describes every key at every level", () => {
    const silent: string[] = [];
    const walk = (node: JsonSchema, path: string): void => {
      if (secretKeys.includes(path)) return;
      for (const [key, part] of Object.entries(node.properties ?? {})) {
        const inner = path === "" ? key : `${path}.${key}`;
        if (part.description === undefined || !part.description.endsWith(".")) silent.push(inner);
        walk(part, inner);
      }
      if (typeof node.additionalProperties === "object") walk(node.additionalProperties, path);
    };
    walk(jsonSchema, "");
    assert.deepEqual(silent, []);
  });

  it("is what the project declares, and the project leaves every refusal to it", () => {
    const project: unknown = parse(
      readFileSync(resolve(import.meta.dirname, "../../Pulumi.yaml"), "utf8"),
    );
    assert.ok(typeof project === "object" && project !== null && "config" in project);
    const declared: [string, unknown][] = Object.entries(project.config ?? {});
    assert.deepEqual(
      declared.map(([key]) => key),
      Object.keys(jsonSchema.properties ?? {}),
    );
    for (const [key, declaration] of declared) {
      assert.ok(typeof declaration === "object" && declaration !== null);
      assert.ok("default" in declaration, `the engine would ask for ${key} by itself`);
      assert.equal("secret" in declaration && declaration.secret, secretKeys.includes(key), key);
    }
  });
});
