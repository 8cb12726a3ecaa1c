import assert from "node:assert/strict";
import type { ProxmoxFacts } from "../../../observe/proxmox/facts.ts";
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

describe("the judgement of Proxmox", () => {
  it("has nothing against a machine that can be created, or is there as it should be", () => {
    assert.deepEqual(judgeProxmox(plan(), facts), { faults: [], warnings: [] });
    const made = sampleFacts({ guests: [template, own] });
    assert.deepEqual(judgeProxmox(plan(), made), { faults: [], warnings: [] });
  });

  const faults: [what: string, plan: ClusterPlan, changes: Partial<ProxmoxFacts>, fault: RegExp][] =
    [
      [
        "a number that another guest has",
        plan(),
        { guests: [template, guest(205, "grafana", 1024)] },
        /^k8s-master-2: the number 205 is that of the machine grafana on pve1; give another/,
      ],
      [
        "a number that a container of the same name has",
        plan(),
        { guests: [template, guest(205, "k8s-master-2", 1024, { kind: "lxc" })] },
        /^k8s-master-2: the number 205 is that of the container k8s-master-2/,
      ],
      [
        "another number for a machine that is there",
        plan({ vmId: 207 }),
        { guests: [template, own] },
        /^k8s-master-2: a guest of that name has the number 205 on pve1, .*vmId says 207; say 205/,
      ],
      [
        "another size of a server that is there, with the command for it",
        plan({ memoryMiB: gib(16), cores: 8 }),
        { guests: [template, own] },
        /memoryMiB is 8192 there and 16384 here, cores is 4 there and 8 here.*`qm set 205 --memory 16384 --cores 8 && qm reboot 205`, of servers one at a time/,
      ],
      [
        "a node that is not there",
        plan({ node: "pve9", templateNode: "pve1" }),
        {},
        /^k8s-master-2: Proxmox has no node pve9; give one of pve1/,
      ],
      [
        "a node that is off",
        plan(),
        { nodes: [{ name: "pve1", online: false, memoryMiB: gib(64), cpus: 16 }] },
        /^k8s-master-2: the node pve1 is off/,
      ],
      [
        "a storage that is not there",
        plan({ datastore: "ceph" }),
        {},
        /^pve1: it has no storage ceph; give one with content images by datastore \(local-lvm\)/,
      ],
      [
        "a storage that may not hold disks",
        plan({ datastore: "local" }),
        {},
        /^pve1: the storage local may not hold images; allow it by `pvesm set local --content images,import,iso`/,
      ],
      [
        "a storage that may not hold seeds",
        plan({}, { seedDatastore: "local-lvm" }),
        {},
        /^pve1: the storage local-lvm may not hold iso; .*or give another by proxmox\.seedDatastore/,
      ],
      [
        "a storage that is not active",
        plan(),
        { storages: [local, { ...lvm, isActive: false }] },
        /^pve1: the storage local-lvm is not active/,
      ],
      [
        "a storage that is nearly full",
        plan({ diskGiB: 64 }),
        { storages: [local, { ...lvm, freeGiB: 63 }] },
        /^pve1: the storage local-lvm has 63 GiB left, and k8s-master-2 takes 64; etcd stops/,
      ],
      [
        "a template that is not there",
        plan({ template: 9001 }),
        {},
        /template 9001 is not there; .*give one of 9000/,
      ],
      [
        "a template that is none",
        plan(),
        { guests: [{ ...template, isTemplate: false }], templates: [] },
        /template 9000 is no template but the guest ubuntu; `qm template 9000`/,
      ],
      [
        "a template on another node",
        plan(),
        { guests: [{ ...template, node: "pve2" }] },
        /template 9000 is on pve2, not on pve1; say templateNode: pve2/,
      ],
      [
        "a disk that is smaller than the template's",
        plan({ diskGiB: 21 }),
        { templates: [{ vmId: 9000, disks: { scsi0: 32 }, cloudInitDrives: [] }] },
        /template 9000 has a disk of 32 GiB, and no disk shrinks; give .*diskGiB 32 or more/,
      ],
      [
        "a disk where the template has none",
        plan({ disk: "virtio0" }),
        {},
        /template 9000 has no disk virtio0 \(it has scsi0\); say which/,
      ],
      [
        "a template with a second drive for cloud-init",
        plan(),
        { templates: [{ vmId: 9000, disks: { scsi0: 4 }, cloudInitDrives: ["scsi1"] }] },
        /has a drive for cloud-init at scsi1, .*`qm set 9000 --delete scsi1`/,
      ],
      [
        "an image that is not there",
        plan({ image: "local:import/noble.qcow2" }),
        {},
        /^k8s-master-2: pve1 has no image local:import\/noble\.qcow2; upload noble\.qcow2 to local/,
      ],
      [
        "a token that may not see all guests",
        plan(),
        { rights: rightsWithout("VM.Audit") },
        /^proxmoxToken: it may not see every guest, so nobody knows .*VM\.Audit on \/vms/,
      ],
      [
        "a token from which one guest is hidden",
        plan(),
        { rights: { ...rightsWithout(), "/vms/101": {} } },
        /^proxmoxToken: it may not see every guest \(\/vms\/101\)/,
      ],
      [
        "a token that sees the guests of today only",
        plan(),
        { rights: { ...rightsWithout(), "/vms": { "VM.Audit": false } } },
        /^proxmoxToken: it may not see every guest/,
      ],
      [
        "a token that may not see how large the node is",
        plan(),
        { nodes: [{ name: "pve1", online: true }] },
        /^proxmoxToken: it may not see how much memory pve1 has; give it Sys\.Audit on \/nodes\/pve1/,
      ],
      [
        "a token that may not clone",
        plan(),
        { rights: rightsWithout("VM.Clone") },
        /^proxmoxToken: it lacks VM\.Clone on \/vms\/9000; give it a role/,
      ],
      [
        "a token that may not use the bridge, nor upload",
        plan({ bridge: "vmbr1" }),
        { rights: rightsWithout("SDN.Use", "Datastore.AllocateTemplate") },
        /lacks Datastore\.AllocateTemplate on \/storage\/local; SDN\.Use on \/sdn\/zones\/localnetwork\/vmbr1/,
      ],
    ];
  for (const [what, wanted, changes, expected] of faults) {
    it(`refuses ${what}`, () => {
      const { faults: found } = judgeProxmox(wanted, sampleFacts(changes));
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });
  }
});
