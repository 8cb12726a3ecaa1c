import assert from "node:assert/strict";

import { getTool } from "../../tools/toolchain/ensureToolchain.ts";
import type { Found } from "../../tools/toolchain/tools.ts";

describe("getting a tool", () => {
  const built: Found = { from: "Go modules", programs: { tool: "/cache/tool" } };
  const never = (): Promise<Found> => assert.fail("a later way was tried");

  it("takes the first way that works, and says why the ones before did not", async () => {
    const said: string[] = [];
    const ways = [async () => "not on PATH", async () => "out of reach", async () => built, never];
    const found = await getTool({ name: "tool", version: "1", ways }, (line) => said.push(line));
    assert.equal(found, built);
    assert.deepEqual(said, ["not on PATH", "out of reach"]);
  });

  it("names the reason of every way when none works", async () => {
    const ways = [async () => "not on PATH", async () => "out of reach"];
    await assert.rejects(
      getTool({ name: "tool", version: "1", ways }, () => undefined),
      /tool 1: not on PATH; out of reach/,
    );
  });
});
