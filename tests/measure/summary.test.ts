import assert from "node:assert/strict";
import { summary } from "../../lab/measure/summary.ts";

const probe = { intervalMs: 100, total: 900, failed: 0, longestGapMs: 130 };
const report = {
  stack: "lab-kubeadm",
  steps: [{ name: "grow", startMs: 1000, endMs: 61_500, api: probe }],
  api: probe,
  inCluster: probe,
  writes: { acknowledged: 700, lost: 0 },
  etcd: { voters: 3, learners: 0 },
  nodes: [],
  before: { servers: 1, objects: 200 },
  after: { servers: 3, objects: 240 },
};

describe("the summary's last line", () => {
  it("says that all is verified", () => {
    const last = summary(report, [], "out/lab/logs").split("\n").at(-1) ?? "";
    assert.match(last, /^lab-kubeadm: verified, 1 server → 3 servers/);
  });

  it("says that it is not, below what was not as promised", () => {
    const lines = summary(report, ["every node is ready: not lb1"], "out/lab/logs").split("\n");
    assert.equal(lines.at(-2), "not as promised: every node is ready: not lb1");
    assert.match(lines.at(-1) ?? "", /^lab-kubeadm: not verified.*out\/lab\/logs$/);
  });
});
