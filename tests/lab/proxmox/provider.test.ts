import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Fault } from "../../../lab/proxmox/faults.ts";
import { type MemoryHypervisor, memoryHypervisor } from "../../../lab/proxmox/memoryHypervisor.ts";
import { namesOf } from "../../../lab/proxmox/record.ts";
import type { VmConfig } from "../../../lab/proxmox/vmConfig.ts";
import { type Double, startDouble } from "./support/double.ts";
import { serverVm } from "./support/server.ts";
import { type Run, VmStack } from "./support/stack.ts";

const listFile = join(import.meta.dirname, "requests.txt");

function succeeded(run: Run): readonly string[] {
  assert.ok(run.ok, run.output);
  return run.operations.filter((one) => !one.includes("default_"));
}

describe("the provider, with the double of Proxmox", function () {
  this.timeout(240_000);
  let double: Double;
  let stack: VmStack;
  let hypervisor: MemoryHypervisor;

  before(async () => {
    hypervisor = memoryHypervisor();
    double = await startDouble({ hypervisor, pools: ["kubernetes"] });
    stack = await VmStack.create(double);
  });
  after(async () => {
    await stack.remove();
    await double.close();
  });

  const configOf = (id: number): VmConfig => double.datacenter.vms.get(id)?.config ?? {};
  const disks = () =>
    [...double.datacenter.storages.get("pve1", "local-lvm").volumes.keys()].sort();
  const ofTemplate = ["base-9000-disk-0", "vm-9000-cloudinit"];

  describe("a VM's life", () => {
    it("clones it from the template, with its size, its network, and what cloud-init needs", async () => {
      const run = await stack.up({ a: serverVm(121, { poolId: "kubernetes" }) });
      assert.deepEqual(succeeded(run), ["create a"]);
      const { name, memory, cores, tags, onboot, ostype, scsi0, ide2, net0 } = configOf(121);
      assert.deepEqual(
        { name, memory, cores, tags, onboot, ostype },
        {
          ...{ name: "server-121", memory: "2048", cores: 2, tags: "k8s;triad", onboot: 1 },
          ostype: "l26",
        },
      );
      assert.match(String(scsi0), /^local-lvm:vm-121-disk-0,.*size=10G/);
      assert.equal(ide2, "local-lvm:vm-121-cloudinit,media=cdrom,size=4M");
      assert.match(String(net0), /^virtio=BC:24:11:[0-9A-F:]{8},bridge=vmbr0,firewall=0,tag=20$/);
      assert.deepEqual(disks(), [
        "base-9000-disk-0",
        "vm-121-cloudinit",
        "vm-121-disk-0",
        "vm-9000-cloudinit",
      ]);
      assert.deepEqual(double.datacenter.pools.get("kubernetes"), new Set([121]));
      const { running, seed } = hypervisor.notes.get(121) ?? {};
      assert.ok(running);
      assert.match(seed?.userData ?? "", /^user: ops$/m);
      assert.match(seed?.userData ?? "", /^ {2}- ssh-ed25519 AAAA\+\/= ops@desk$/m);
      assert.match(seed?.networkConfig ?? "", /address: '192\.0\.2\.121'/);
    });

    it("changes nothing the second time", async () => {
      const before = double.requests.length;
      const run = await stack.up({ a: serverVm(121, { poolId: "kubernetes" }) });
      assert.deepEqual(succeeded(run), []);
      assert.deepEqual(
        double.requests.slice(before).filter(({ method }) => method !== "GET"),
        [],
      );
    });

    it("gives it more memory, which it gets at its next start", async () => {
      const run = await stack.up({ a: serverVm(121, { poolId: "kubernetes", memory: 4096 }) });
      assert.deepEqual(succeeded(run), ["update a"]);
      assert.equal(configOf(121)["memory"], "4096");
      const pending = await double.byHand("GET", "/nodes/pve1/qemu/121/pending");
      assert.ok(Array.isArray(pending));
      assert.deepEqual(
        pending.find(({ key }) => key === "memory"),
        { key: "memory", value: "2048", pending: "4096" },
      );
      assert.equal(hypervisor.notes.get(121)?.boots, 1);
    });

    it("grows its disk while it runs", async () => {
      const larger = { poolId: "kubernetes", memory: 4096, disk: 20 };
      assert.deepEqual(succeeded(await stack.up({ a: serverVm(121, larger) })), ["update a"]);
      assert.match(String(configOf(121)["scsi0"]), /size=20G/);
      assert.equal(hypervisor.notes.get(121)?.boots, 1);
      assert.deepEqual(succeeded(await stack.up({ a: serverVm(121, larger) })), []);
    });

    it("leaves no VM, no number and no disk behind", async () => {
      assert.deepEqual(succeeded(await stack.destroy()), ["delete a"]);
      assert.deepEqual([...double.datacenter.vms.keys()], [9000]);
      assert.deepEqual([...hypervisor.notes.keys()], []);
      assert.deepEqual(disks(), ofTemplate);
      assert.deepEqual(double.datacenter.pools.get("kubernetes"), new Set());
    });

    it("asks for nothing that is not on the list", async () => {
      const asked = namesOf(double.requests);
      if (process.env["TRIAD_WRITE_LISTS"] !== undefined) {
        await writeFile(listFile, `${asked.join("\n")}\n`);
      }
      const listed = (await readFile(listFile, "utf8")).trimEnd().split("\n");
      // What is new has to be in the double as Proxmox has it, before it is listed (TRIAD_WRITE_LISTS=1 does that).
      assert.deepEqual({ new: asked.filter((one) => !listed.includes(one)) }, { new: [] });
      assert.deepEqual({ gone: listed.filter((one) => !asked.includes(one)) }, { gone: [] });
      assert.deepEqual(
        double.requests.filter(({ status }) => status === 501 || status === 400),
        [],
      );
    });
  });

  describe("a fault", () => {
    let lift = (): void => undefined;
    const bring = (fault: Fault): void => {
      lift = double.fault(fault);
    };

    afterEach(async () => {
      lift();
      succeeded(await stack.destroy());
      assert.deepEqual(disks(), ofTemplate);
      assert.deepEqual([...double.datacenter.vms.keys()], [9000]);
    });

    /** After the fault the same program brings everything up, with one VM and its two volumes. */
    async function converges(): Promise<void> {
      succeeded(await stack.up({ b: serverVm(122) }));
      assert.deepEqual(succeeded(await stack.up({ b: serverVm(122) })), []);
      assert.deepEqual([...double.datacenter.vms.keys()], [9000, 122]);
      assert.deepEqual(disks(), [
        "base-9000-disk-0",
        "vm-122-cloudinit",
        "vm-122-disk-0",
        "vm-9000-cloudinit",
      ]);
      assert.ok(hypervisor.notes.get(122)?.running);
    }

    it("of a held template ends in an error that says so", async () => {
      bring({ kind: "clone-lock", template: 9000 });
      const run = await stack.up({ b: serverVm(122) });
      assert.ok(!run.ok);
      assert.match(run.output, /can't lock file .*lock-9000\.conf' - got timeout/);
      await converges();
    });

    it("of a clone's task ends in an error, and leaves nothing half cloned", async () => {
      bring({ kind: "task-failure", task: "qmclone", message: "lvcreate failed" });
      const run = await stack.up({ b: serverVm(122) });
      assert.ok(!run.ok);
      assert.match(run.output, /clone failed: lvcreate failed/);
      assert.deepEqual([...double.datacenter.vms.keys()], [9000]);
      await converges();
    });

    it("of its start ends in an error, and the next run goes on from there", async () => {
      bring({
        kind: "task-failure",
        task: "qmstart",
        message: "start failed: no tap device",
      });
      const run = await stack.up({ b: serverVm(122) });
      assert.ok(!run.ok);
      assert.match(run.output, /no tap device/);
      await converges();
    });

    for (const [when, skip] of [
      ["before its clone", 0],
      ["while it is started", 12],
    ] as const) {
      it(`of a node that is lost ${when} ends in an error`, async () => {
        bring({ kind: "595", node: "pve1", skip });
        const run = await stack.up({ b: serverVm(122) });
        assert.ok(!run.ok);
        assert.match(run.output, /HTTP 595 response - Reason: No route to host/);
        lift();
        await double.datacenter.tasks.settle();
        await converges();
      });
    }

    it("of a node that is lost while it is configured is made good by a run that refreshes", async () => {
      bring({ kind: "595", node: "pve1", skip: 6 });
      assert.ok(!(await stack.up({ b: serverVm(122) })).ok);
      lift();
      // Without it the provider takes what it asked for as done, and starts the VM as it is.
      succeeded(await stack.up({ b: serverVm(122) }, "--refresh"));
      await converges();
      assert.match(String(configOf(122)["ide2"]), /cloudinit/);
      assert.match(hypervisor.notes.get(122)?.seed?.networkConfig ?? "", /192\.0\.2\.122/);
    });

    it("of a node that is lost while it clones leaves a VM that the provider doesn't know", async () => {
      bring({ kind: "595", node: "pve1", skip: 1 });
      assert.ok(!(await stack.up({ b: serverVm(122) })).ok);
      lift();
      await double.datacenter.tasks.settle();
      const run = await stack.up({ b: serverVm(122) });
      assert.ok(!run.ok);
      assert.match(run.output, /unable to create VM 122: config file already exists/);
      await double.byHand("DELETE", "/nodes/pve1/qemu/122");
      await double.datacenter.tasks.settle();
      await converges();
    });

    it("of a full storage ends in an error that names it", async () => {
      bring({ kind: "storage-full", storage: "local-lvm" });
      const run = await stack.up({ b: serverVm(122) });
      assert.ok(!run.ok);
      assert.match(run.output, /thin pool is not enough/);
      lift();
      await converges();
    });

    it("of a slow task is waited for", async () => {
      bring({ kind: "slow-task", task: "qmclone", ms: 2500 });
      await converges();
    });

    it("of a VM that was deleted by hand makes it anew", async () => {
      await converges();
      await double.byHand("POST", "/nodes/pve1/qemu/122/status/stop");
      await double.datacenter.tasks.settle();
      await double.byHand("DELETE", "/nodes/pve1/qemu/122");
      await double.datacenter.tasks.settle();
      const run = await stack.up({ b: serverVm(122) }, "--refresh");
      assert.deepEqual(
        succeeded(run).filter((one) => !one.startsWith("refresh")),
        ["create b"],
      );
      await converges();
    });
  });
});
