import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildReport } from "../../lab/measure/report.ts";
import { readSamples } from "../../lab/measure/sample.ts";
import { lostWrites } from "../../lab/measure/writes.ts";

const target = "10.0.20.99:6443";
const write = (name: string, ok: boolean) => ({
  startMs: 0,
  endMs: 1,
  ok,
  target,
  name,
  value: "v",
});

describe("the report", () => {
  it("has exactly the keys that were promised, in ms since the start", () => {
    const report = buildReport({
      stack: "lab-kubeadm",
      whole: { startMs: 5000, endMs: 6000 },
      steps: [
        { name: "grow", startMs: 5600, endMs: 5900 },
        { name: "adopt", startMs: 5100, endMs: 5500 },
      ],
      outside: [
        { startMs: 5200, endMs: 5210, ok: true, target },
        { startMs: 5700, endMs: 5800, ok: false, target },
      ],
      inCluster: [{ startMs: 5500, endMs: 5510, ok: true, target }],
      writes: [write("a", true), write("b", false)],
      lost: 0,
      etcd: { voters: 3, learners: 0 },
      nodes: [{ name: "k8s-master", role: "server", ready: true, version: "v1.34.2" }],
      before: { servers: 1, objects: 10 },
      after: { servers: 3, objects: 12 },
    });
    assert.deepEqual(report, {
      stack: "lab-kubeadm",
      steps: [
        {
          name: "adopt",
          startMs: 100,
          endMs: 500,
          api: { total: 1, failed: 0, longestGapMs: 790 },
        },
        { name: "grow", startMs: 600, endMs: 900, api: { total: 1, failed: 1, longestGapMs: 790 } },
      ],
      api: { intervalMs: 100, total: 2, failed: 1, longestGapMs: 790 },
      inCluster: { intervalMs: 100, total: 1, failed: 0, longestGapMs: 510 },
      writes: { acknowledged: 1, lost: 0 },
      etcd: { voters: 3, learners: 0 },
      nodes: [{ name: "k8s-master", role: "server", ready: true, version: "v1.34.2" }],
      before: { servers: 1, objects: 10 },
      after: { servers: 3, objects: 12 },
    });
  });
});

describe("samples on disk", () => {
  const file = join(mkdtempSync(join(tmpdir(), "triad-samples-")), "probe.jsonl");
  const line = JSON.stringify({ startMs: 1, endMs: 2, ok: true, target });

  it("survive a killed process", () => {
    writeFileSync(file, `${line}\n${line.slice(0, 12)}`);
    assert.equal(readSamples(file).length, 1);
  });

  it("are never dropped in silence", () => {
    writeFileSync(file, `${line.slice(0, 12)}\n${line}\n`);
    assert.throws(() => readSamples(file));
  });
});

describe("an acknowledged write", () => {
  const list = (items: unknown[]) => JSON.stringify({ items });

  it("is lost when it is missing or has another value", () => {
    const listed = list([
      { metadata: { name: "kept" }, data: { value: "v" } },
      { metadata: { name: "changed" }, data: { value: "w" } },
    ]);
    const writes = ["kept", "changed", "missing"].map((name) => write(name, true));
    assert.deepEqual(lostWrites(writes, listed), ["changed", "missing"]);
  });

  it("was never promised when the API did not answer", () => {
    assert.deepEqual(lostWrites([write("unknown", false)], list([])), []);
  });
});
