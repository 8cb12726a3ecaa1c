import assert from "node:assert/strict";
import { parseProber } from "../../lab/measure/parseProber.ts";

describe("the prober's lines", () => {
  it("are samples", () => {
    assert.deepEqual(parseProber("1000 12 ok 200\n1100 1000 fail 0\n"), [
      { startMs: 1000, endMs: 1012, ok: true, target: "kubernetes" },
      { startMs: 1100, endMs: 2100, ok: false, target: "kubernetes", problem: "status 0" },
    ]);
  });

  it("may end in the middle of one, but hold nothing else", () => {
    assert.equal(parseProber("1000 12 ok 200\n1100 10").length, 1);
    assert.throws(() => parseProber("panic: out of memory\n"), /not a line of the prober/);
  });
});
