import assert from "node:assert/strict";
import fc from "fast-check";
import { figures } from "../../lab/measure/figures.ts";
import type { Sample } from "../../lab/measure/sample.ts";

const sample = (startMs: number, endMs: number, ok = true): Sample => ({
  startMs,
  endMs,
  ok,
  target: "10.0.20.99:6443",
});

describe("figures", () => {
  const whole = { startMs: 0, endMs: 1000 };

  it("counts attempts, failed ones, and the longest time between two good answers", () => {
    const samples = [sample(0, 10), sample(100, 300, false), sample(300, 310), sample(900, 990)];
    assert.deepEqual(figures(samples, whole), { total: 4, failed: 1, longestGapMs: 680 });
  });

  it("lets the last gap run to the end, and the first from the start", () => {
    assert.equal(figures([sample(0, 10)], whole).longestGapMs, 990);
    assert.equal(figures([sample(700, 710)], whole).longestGapMs, 710);
    assert.equal(figures([], whole).longestGapMs, 1000);
  });

  it("counts in full a gap that a step only touches", () => {
    const samples = [sample(0, 10), sample(100, 600, false), sample(600, 610), sample(700, 710)];
    assert.deepEqual(figures(samples, whole, { startMs: 500, endMs: 550 }), {
      total: 1,
      failed: 1,
      longestGapMs: 600,
    });
  });

  it("never finds a longer gap in a part than in the whole", () => {
    const attempts = fc.array(fc.tuple(fc.nat(200), fc.nat(100), fc.boolean()));
    fc.assert(
      fc.property(attempts, fc.nat(5000), fc.nat(5000), (steps, from, length) => {
        let now = 0;
        const samples = steps.map(([pause, duration, ok]) => {
          const startMs = now + pause;
          now = startMs + duration;
          return sample(startMs, now, ok);
        });
        const all = { startMs: 0, endMs: now };
        const part = figures(samples, all, { startMs: from, endMs: from + length });
        assert.ok(part.longestGapMs <= figures(samples, all).longestGapMs);
        assert.ok(part.failed <= part.total);
      }),
    );
  });
});
