import assert from "node:assert/strict";
import { judgeMemory, memoryTable } from "../../../observe/proxmox/judgeMemory.ts";
import { leftMiB, memoryOf } from "../../../observe/proxmox/memory.ts";
import type { GuestFacts, NodeFacts, ProxmoxFacts } from "../../../observe/proxmox/facts.ts";
import type { ClusterPlan } from "../../../plan/clusterPlan.ts";
import { samplePlan, withVms } from "../../support/samplePlan.ts";
import { gib, guest, sampleFacts, template } from "./sampleFacts.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"];

/** One server exists by itself, two are created with this much memory each. */
function two(memoryMiB: number, proxmox: Record<string, unknown> = {}): ClusterPlan {
  const vms = {
    "k8s-master-2": { vmId: 205, memoryMiB },
    "k8s-master-3": { vmId: 206, memoryMiB },
  };
  return samplePlan(three, { ...withVms(vms, proxmox), preflight: { memoryMiB: 900 } });
}

/**
 * The host of the kubeadm document: 267 GB, of which 262 are promised. Eight machines of 32 GiB, one of 2 and a
 * container of 1.75, with what QEMU takes for each machine.
 */
const crowded: readonly GuestFacts[] = [
  template,
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((count) => guest(99 + count, `vm${count}`, gib(32))),
  guest(108, "small", gib(2)),
  guest(300, "container", gib(1.75), { kind: "lxc" }),
];

function host(
  guests: readonly GuestFacts[] = crowded,
  more: Partial<NodeFacts> = {},
): ProxmoxFacts {
  return sampleFacts({
    nodes: [{ name: "pve1", online: true, memoryMiB: gib(267), cpus: 32, ...more }],
    guests,
  });
}

describe("the memory of a Proxmox node", () => {
  it("is refused to two more servers of 32 GiB on the document's host, with what would help", () => {
    const { faults } = judgeMemory(two(gib(32)), host());
    assert.deepEqual(faults, [
      "pve1: k8s-master-2 and k8s-master-3 need" +
        " 64.5 GiB more, and 3.0 GiB are left: 262.0 of 267.0 are promised to 10 guests, 2.0 are the host's; " +
        "the kernel would kill one of them; give each 1280 MiB at most by memoryMiB, or stop guests there, or give them less",
    ]);
  });

  it("is shown as a table, now and then, with what would fit", () => {
    assert.deepEqual(memoryTable(two(gib(32)), host()).split("\n"), [
      "memory that is promised to guests, in GiB:",
      "  node    has  host's    now   then   used  would fit     vCPUs",
      "  pve1  267.0     2.0  262.0  326.5  122 %    2 × 1.3  48 on 32",
    ]);
  });

  it("is there for what is as small as the refusal says, and for no more", () => {
    assert.deepEqual(judgeMemory(two(1280), host()).faults, []);
    assert.equal(judgeMemory(two(1280 + 64), host()).faults.length, 1);
  });

  it("is there for machines that are there: a second up is not refused, though the host is overfull", () => {
    const made = [
      ...crowded,
      guest(205, "k8s-master-2", gib(32)),
      guest(206, "k8s-master-3", gib(32)),
    ];
    const plan = two(gib(32));
    assert.deepEqual(judgeMemory(plan, host(made)).faults, []);
    const [memory] = memoryOf(plan, host(made));
    assert.equal(memory?.thenMiB, memory?.nowMiB);
    assert.ok(memory && leftMiB(memory, "now") < 0);
  });

  it("is asked for what a cut-off run has still to create", () => {
    const half = [...crowded, guest(205, "k8s-master-2", gib(32))];
    const [fault = ""] = judgeMemory(two(gib(32)), host(half)).faults;
    assert.match(
      fault,
      /^pve1: k8s-master-3 needs 32\.3 GiB more, and it has promised more than it has already/,
    );
  });

  const counted: [what: string, guest: GuestFacts, expectedMiB: number][] = [
    ["runs", guest(1, "a", 1000), 1256],
    ["is off and starts with the node", guest(1, "a", 1000, { isRunning: false }), 1256],
    ["is off and stays off", guest(1, "a", 1000, { isRunning: false, onBoot: false }), 0],
    ["runs and does not start with the node", guest(1, "a", 1000, { onBoot: false }), 1256],
    ["is a template", guest(1, "a", 1000, { isRunning: false, isTemplate: true }), 0],
    ["is a container", guest(1, "a", 1000, { kind: "lxc" }), 1000],
    ["is on another node", guest(1, "a", 1000, { node: "pve2" }), 0],
  ];
  for (const [what, one, expected] of counted) {
    it(`counts a guest that ${what} as ${expected} MiB`, () => {
      assert.equal(memoryOf(two(2048), host([one]))[0]?.nowMiB, expected);
    });
  }

  it("keeps for ZFS a tenth where there is ZFS, 16 GiB at most, or what is said", () => {
    const zfs = (memoryMiB: number): ProxmoxFacts => {
      const facts = host([], { memoryMiB });
      const storages = facts.storages.map((one) => ({ ...one, type: "zfspool" }));
      return { ...facts, storages };
    };
    const reserved = (plan: ClusterPlan, facts: ProxmoxFacts): number | undefined =>
      memoryOf(plan, facts)[0]?.reservedMiB;
    assert.equal(reserved(two(2048), host([])), 2048);
    assert.equal(reserved(two(2048), zfs(gib(100))), 2048 + gib(10));
    assert.equal(reserved(two(2048), zfs(gib(267))), 2048 + gib(16));
    assert.equal(reserved(two(2048, { zfsCacheMiB: 512 }), zfs(gib(267))), 2048 + 512);
    assert.equal(reserved(two(2048, { hostReserveMiB: 0 }), host([])), 0);
  });

  it("names the nodes that have room", () => {
    const nodes = [
      { name: "pve1", online: true, memoryMiB: gib(64), cpus: 16 },
      { name: "pve2", online: true, memoryMiB: gib(128), cpus: 16 },
      { name: "pve3", online: true, memoryMiB: gib(32), cpus: 16 },
    ];
    const [fault = "", ...others] = judgeMemory(two(gib(40)), sampleFacts({ nodes })).faults;
    assert.deepEqual(others, []);
    assert.match(fault, /or put them on pve2, or stop guests/);
  });

  it("is counted where a machine has been moved to", () => {
    const nodes = ["pve1", "pve2"].map((name) => ({
      name,
      online: true,
      memoryMiB: gib(64),
      cpus: 16,
    }));
    const moved = guest(205, "k8s-master-2", gib(8), { node: "pve2" });
    const [first, second] = memoryOf(two(gib(8)), sampleFacts({ nodes, guests: [moved] }));
    assert.equal(first?.thenMiB, gib(8) + 256);
    assert.equal(second?.thenMiB, gib(8) + 256);
  });

  it("does not help a machine with more cores than its node", () => {
    const [fault = "", ...others] = judgeMemory(two(2048), host([], { cpus: 3 })).faults;
    assert.match(
      fault,
      /^k8s-master-2: 4 cores are more than the 3 of pve1, so it would not start/,
    );
    assert.equal(others.length, 1);
  });

  it("comes with a warning where many virtual CPUs share few, if the plan adds some", () => {
    const busy = [1, 2, 3, 4].map((count) => guest(count, `vm${count}`, 1000, { cores: 16 }));
    const { warnings } = judgeMemory(two(2048), host(busy, { cpus: 16 }));
    assert.deepEqual(warnings, ["pve1: 72 virtual CPUs share 16; etcd waits when they are busy"]);
    const made = [...busy, guest(205, "k8s-master-2", 2048), guest(206, "k8s-master-3", 2048)];
    assert.deepEqual(judgeMemory(two(2048), host(made, { cpus: 16 })).warnings, []);
  });
});
