import assert from "node:assert/strict";
import { samplePlan, withVms } from "../support/samplePlan.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"];

describe("the plan of machines that are created", () => {
  const plan = samplePlan(three, withVms({ "k8s-master-2": { vmId: 205 } }));

  it("says of each what it is to be, and of a machine that exists nothing", () => {
    const [first, second] = plan.servers;
    assert.equal(first && "vm" in first, false);
    assert.deepEqual(second?.vm, {
      vmId: 205,
      node: "pve1",
      source: { kind: "template", vmId: 9000, node: "pve1" },
      cores: 4,
      memoryMiB: 8192,
      cpuType: "x86-64-v2-AES",
      disk: { interface: "scsi0", sizeGiB: 40, datastore: "local-lvm" },
      bridge: "vmbr0",
      tags: ["homelab", "triad"],
    });
  });

  it("has where they are created, and nothing of it where none is", () => {
    assert.deepEqual(plan.proxmox?.network, {
      prefixLength: 24,
      gateway: "10.0.20.1",
      nameservers: ["10.0.20.1"],
    });
    assert.equal(plan.proxmox.hostReserveMiB, 2048);
    assert.equal("proxmox" in samplePlan(three), false);
  });

  it("takes a machine's own image instead of everybody's template, and the reverse", () => {
    const image = "local:import/noble.qcow2";
    const own = withVms({ "k8s-master-2": { vmId: 205, image } });
    assert.deepEqual(samplePlan(three, own).servers[1]?.vm?.source, {
      kind: "image",
      volume: image,
    });
    const all = withVms(
      { "k8s-master-2": { vmId: 205, template: 9001, templateNode: "pve3" } },
      { defaults: { node: "pve1", image } },
    );
    assert.deepEqual(samplePlan(three, all).servers[1]?.vm?.source, {
      kind: "template",
      vmId: 9001,
      node: "pve3",
    });
  });

  const nodes: [
    servers: string[],
    nodesOf: (string | undefined)[],
    expected: RegExp | undefined,
  ][] = [
    [
      three,
      ["pve1", "pve1", "pve1"],
      /are on the Proxmox node pve1: .* 3 of 3 servers .*; put 1 of them there at most/,
    ],
    [
      three,
      [undefined, "pve1", "pve1"],
      /k8s-master-2 and k8s-master-3 are on .*pve1: when it fails or restarts, 2 of 3 servers are lost/,
    ],
    [three, ["pve1", "pve2", "pve3"], undefined],
    [three, [undefined, "pve1", undefined], undefined],
    [three.slice(0, 1), ["pve1"], undefined],
  ];
  for (const [servers, nodesOf, expected] of nodes) {
    it(`${expected ? "warns" : "says nothing"} of servers on ${nodesOf.map((node) => node ?? "no node of Proxmox").join(", ")}`, () => {
      const vms = servers.flatMap((name, position) => {
        const node = nodesOf[position];
        return node === undefined ? [] : [[name, { vmId: 205 + position, node }]];
      });
      const { warnings } = samplePlan(servers, withVms(Object.fromEntries(vms)));
      assert.equal(warnings.length, expected === undefined ? 0 : 1);
      if (expected) assert.match(warnings.join(), expected);
    });
  }
});
