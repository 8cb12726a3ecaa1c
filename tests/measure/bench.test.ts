import assert from "node:assert/strict";
import type { Cost } from "../../lab/measure/bench.ts";
import { compare, gapsOf } from "../../lab/measure/bench.ts";

describe("one → three beside the same by hand", () => {
  it("counts the retrofit and all from the first join to the last, not what is only Triad's", () => {
    const step = (name: string, startMs: number, endMs: number) => ({ name, startMs, endMs });
    const steps = [
      step("adopt", 0, 20_000),
      step("homelab-control-plane", 10_000, 14_000),
      step("k8s-master-membership", 14_000, 17_000),
      step("grow", 20_000, 120_000),
      step("k8s-master-2-kubernetes", 21_000, 45_000),
      step("k8s-master-2-membership", 45_000, 70_000),
      step("k8s-master-3-membership", 46_000, 91_000),
      step("homelab-verified", 115_000, 120_000),
    ];
    assert.deepEqual(compare(40_000, steps), { byHandMs: 40_000, triadMs: 50_000, ratio: 1.25 });
  });

  it("takes the conversion of k3s, not the look at the cluster before it", () => {
    const step = (name: string, startMs: number, endMs: number) => ({ name, startMs, endMs });
    const steps = [
      step("homelab-control-plane", 10_000, 11_000),
      step("grow", 20_000, 90_000),
      step("homelab-control-plane", 25_000, 45_000),
      step("shuttle-membership", 45_000, 60_000),
      step("hp-membership", 60_000, 75_000),
    ];
    assert.deepEqual(compare(50_000, steps), { byHandMs: 50_000, triadMs: 50_000, ratio: 1 });
  });
});

describe("how long the API is away", () => {
  it("is told for the conversion by hand and by Triad beside a bare restart", () => {
    const cost = (name: string, longestGapMs: number): Cost => {
      const figures = { total: 10, failed: 1, longestGapMs };
      return { name, tookMs: 1, outside: figures, inCluster: figures, writes: figures, lost: 0 };
    };
    const byHand = [cost("by hand: one → three", 9_000), cost("by hand: conversion", 8_000)];
    const steps = [cost("homelab-control-plane", 100), cost("homelab-control-plane", 7_000)];
    assert.deepEqual(gapsOf(cost("restart", 6_000), byHand, steps), {
      restart: 6_000,
      byHand: 8_000,
      triad: 7_000,
    });
  });

  it("is an error when nothing was converted", () => {
    const figures = { total: 1, failed: 0, longestGapMs: 100 };
    const restart = {
      name: "restart",
      tookMs: 1,
      outside: figures,
      inCluster: figures,
      writes: figures,
      lost: 0,
    };
    assert.throws(() => gapsOf(restart, [], []), /no conversion/);
  });
});
