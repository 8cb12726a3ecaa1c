import assert from "node:assert/strict";
import { judgeProxmox } from "../../observe/proxmox/judgeProxmox.ts";
import { observeProxmox } from "../../observe/proxmox/observeProxmox.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import type { Rights } from "../../proxmox/rights.ts";
import { startDouble } from "../lab/proxmox/support/double.ts";
import { rightsWithout, sampleFacts } from "../observe/proxmox/sampleFacts.ts";
import { samplePlan, withVms } from "../support/samplePlan.ts";

const vms = { "k8s-master-2": { vmId: 205 } };
const checkpoints = { existing: { "k8s-master": 200 } };

function faults(proxmox: Readonly<Record<string, unknown>>, rights: Rights): string {
  const plan = samplePlan(["k8s-master", "k8s-master-2"], withVms(vms, proxmox));
  return judgeProxmox(plan, sampleFacts({ rights })).faults.join("\n");
}

describe("the rights that checkpoints take", () => {
  const without = rightsWithout();
  const allowed = { ...without, "/vms": { ...without["/vms"], "VM.Snapshot": true } };

  it("are asked for before a run, on each server that they are taken of", () => {
    assert.match(
      faults({ checkpoints }, without),
      /^proxmoxToken: it lacks VM\.Snapshot on \/vms\/200; VM\.Snapshot on \/vms\/205; give it/,
    );
    assert.equal(faults({ checkpoints }, allowed), "");
  });

  it("are asked for also where every machine exists, and nothing else is", async () => {
    const secret = crypto.randomUUID();
    const less = { "/": [], "/vms": ["VM.Audit"] };
    const tokens = [{ id: "triad@pve!lab", secret, privileges: less }];
    const token = `triad@pve!lab=${secret}`;
    const double = await startDouble({ tokens });
    process.env["SSL_CERT_FILE"] = double.authority;
    try {
      const existing = (more: object): ClusterPlan =>
        samplePlan(["k8s-master"], withVms({}, { endpoint: double.url, ...more }));
      const { faults: lacks } = await observeProxmox(existing({ checkpoints }), token);
      assert.match(lacks.join("\n"), /^proxmoxToken: it lacks VM\.Snapshot on \/vms\/200; give/);
      assert.deepEqual((await observeProxmox(existing({}), token)).faults, []);
    } finally {
      delete process.env["SSL_CERT_FILE"];
      await double.close();
    }
  });

  it("are nobody's business where none are taken", () => {
    assert.equal(faults({}, without), "");
  });
});
