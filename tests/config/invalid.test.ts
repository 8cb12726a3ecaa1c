import assert from "node:assert/strict";
import { ConfigError, type Fault } from "../../config/configError.ts";
import { parseConfig } from "../../config/parse.ts";
import { fixtures, type Fixture } from "./fixture.ts";

function faultsOf(raw: Fixture["raw"]): readonly Fault[] {
  try {
    parseConfig(raw);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const text = ({ path, problem, cure }: Fault): string => `${path}: ${problem}; ${cure}`;

describe("an invalid stack file is refused with path and cure", () => {
  for (const { name, why, expected, raw } of fixtures("invalid")) {
    it(`${name}: ${why}`, () => {
      const faults = faultsOf(raw);
      const missed = expected.filter(
        ({ path, fragment }) =>
          !faults.some((fault) => fault.path === path && text(fault).includes(fragment)),
      );
      assert.deepEqual(missed, [], `found were:\n${faults.map(text).join("\n")}`);
      // As many as expected, and at these places: no fault is a mere consequence of another.
      assert.deepEqual(
        faults.map(({ path }) => path).sort(),
        expected.map(({ path }) => path).sort(),
      );
    });
  }

  it("says why in every file, and what is to be found", () => {
    for (const { name, why, expected } of fixtures("invalid")) {
      assert.ok(why.length > 20, `${name} does not say why`);
      assert.ok(expected.length > 0, `${name} does not say what`);
    }
  });

  it("puts every fault on a line of its own", () => {
    const many = fixtures("invalid").find(({ name }) => name === "manyFaults");
    assert.ok(many);
    assert.throws(
      () => parseConfig(many.raw),
      (error) =>
        error instanceof ConfigError && error.message.split("\n").length === many.expected.length,
    );
  });

  it("never repeats a secret", () => {
    const secrets = ["bm90IGEgc2VjcmV0", "hunter2"];
    for (const { name, raw } of fixtures("invalid")) {
      const message = faultsOf(raw).map(text).join("\n");
      for (const secret of secrets) assert.ok(!message.includes(secret), `${name}: ${message}`);
    }
  });
});
