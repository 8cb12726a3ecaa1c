import assert from "node:assert/strict";
import { judgeProxmox } from "../../../observe/proxmox/judgeProxmox.ts";
import type { ClusterPlan } from "../../../plan/clusterPlan.ts";
import { samplePlan, withVms } from "../../support/samplePlan.ts";
import { gib, guest, rightsWithout, sampleFacts, template } from "./sampleFacts.ts";

const servers = ["k8s-master", "k8s-master-2"];

function plan(
  vm: Record<string, unknown> = {},
  proxmox: Record<string, unknown> = {},
): ClusterPlan {
  const described = withVms({ "k8s-master-2": { vmId: 205, ...vm } }, proxmox);
  return samplePlan(servers, described);
}

const own = guest(205, "k8s-master-2", gib(8), { serial: "k8s-master-2" });
const facts = sampleFacts();
const [local, lvm] = facts.storages;
assert.ok(local && lvm);

describe("the judgement of Proxmox, where nothing is wrong", () => {
  it("takes what a pool gives, and an image that is there", () => {
    const { "VM.Clone": clone, ...machine } = rightsWithout()["/vms"] ?? {};
    const pooled = {
      ...rightsWithout(),
      "/vms": { "VM.Audit": true, "VM.Clone": clone === true },
      "/pool/lab": machine,
    };
    assert.deepEqual(
      judgeProxmox(plan({ pool: "lab" }), sampleFacts({ rights: pooled })).faults,
      [],
    );
    assert.match(
      judgeProxmox(plan(), sampleFacts({ rights: pooled })).faults.join(),
      /VM\.Allocate.* on \/vms\/205/,
    );
    const images = ["pve1 local:import/noble.qcow2"];
    const imported = plan({ image: "local:import/noble.qcow2" });
    assert.deepEqual(judgeProxmox(imported, sampleFacts({ images })).faults, []);
  });

  it("needs no right for what is there already but those to keep it", () => {
    const rights = rightsWithout("VM.Clone", "Datastore.AllocateSpace", "SDN.Use");
    const made = sampleFacts({ guests: [template, own], rights });
    assert.deepEqual(judgeProxmox(plan(), made).faults, []);
  });

  it("takes a shared storage for one, however many nodes have it", () => {
    const nodes = ["pve1", "pve2"].map((name) => ({
      name,
      online: true,
      memoryMiB: gib(64),
      cpus: 16,
    }));
    const storages = nodes.flatMap(({ name }) => [
      { ...local, node: name },
      { ...lvm, node: name, name: "ceph", isShared: true, freeGiB: 70 },
    ]);
    const both = samplePlan(
      ["k8s-master", "k8s-master-2", "k8s-master-3"],
      withVms({
        "k8s-master-2": { vmId: 205, datastore: "ceph" },
        "k8s-master-3": {
          vmId: 206,
          datastore: "ceph",
          node: "pve2",
          template: 9000,
          templateNode: "pve1",
        },
      }),
    );
    const { faults: found } = judgeProxmox(both, sampleFacts({ nodes, storages }));
    assert.equal(found.length, 1);
    assert.match(found[0] ?? "", /ceph has 70 GiB left, and k8s-master-2 and k8s-master-3 take 80/);
  });

  it("only warns of a machine on another node, and of a worker's size", () => {
    const moved = { ...own, node: "pve2" };
    const { faults: none, warnings } = judgeProxmox(
      plan(),
      sampleFacts({ guests: [template, moved] }),
    );
    assert.deepEqual(none, []);
    assert.match(
      warnings.join(),
      /it is on pve2 and stays there, .*`qm migrate 205 pve1 --online` on pve2/,
    );
    const worker = samplePlan(["k8s-master"], withVms({ "k8s-node1": { vmId: 301, cores: 2 } }));
    const there = sampleFacts({ guests: [template, guest(301, "k8s-node1", gib(8))] });
    const judged = judgeProxmox(worker, there);
    assert.deepEqual(judged.faults, []);
    assert.match(judged.warnings.join(), /cores is 4 there and 2 here.*qm set 301 --cores 2/);
  });
});
