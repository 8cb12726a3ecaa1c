import { strict as assert } from "node:assert";
import { ActError } from "../../acts/act.ts";
import { gate } from "../../acts/gate.ts";

const options = {
  what: "the light to turn green",
  limitMs: 40,
  intervalMs: 5,
  why: "cars come",
  cure: "press the button",
};

describe("a gate", () => {
  it("ends with what was found", async () => {
    let looks = 0;
    const look = async () => (++looks < 3 ? { seen: "red" } : { found: "green" });
    assert.equal(await gate(look, { ...options, progress: () => undefined }), "green");
  });

  it("says each new thing that it sees once", async () => {
    const lines: string[] = [];
    const seen = ["red", "red", "yellow"];
    const look = async () => {
      const next = seen.shift();
      return next === undefined ? { found: true } : { seen: next };
    };
    await gate(look, { ...options, limitMs: 1_000, progress: (line) => lines.push(line) });
    assert.deepEqual(lines, [
      "waiting for the light to turn green: red",
      "waiting for the light to turn green: yellow",
    ]);
  });

  it("fails after its limit with what was seen last, why it matters and what to do", async () => {
    const look = async (): Promise<{ seen: string }> => {
      throw new Error("fog");
    };
    await assert.rejects(
      gate(look, { ...options, progress: () => undefined }),
      (error: Error) =>
        error instanceof ActError &&
        /seen last: fog/.test(error.message) &&
        /press the button/.test(error.message),
    );
  });

  it("ends at once on an error that waiting cannot mend", async () => {
    const look = async (): Promise<{ seen: string }> => {
      throw new ActError("the light fell over", "it will never turn green", "call somebody");
    };
    const started = Date.now();
    await assert.rejects(
      gate(look, { ...options, limitMs: 60_000, progress: () => undefined }),
      /fell over/,
    );
    assert.ok(Date.now() - started < 10_000);
  });
});
