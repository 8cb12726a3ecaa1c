import assert from "node:assert/strict";
import { ProxmoxError } from "../../proxmox/api.ts";
import { disksOf } from "../../proxmox/drives.ts";
import {
  findGuest,
  lookForGuest,
  startGuest,
  stateOf,
  stopGuest,
  untilUnlocked,
} from "../../proxmox/guest.ts";
import { storagesOf, takeSnapshot } from "../../proxmox/snapshots.ts";
import { accessOf, type OnProxmox, startOnProxmox } from "./support/onProxmox.ts";

const silently = (): undefined => undefined;

describe("Proxmox's API, told to do something", function () {
  this.timeout(20_000);
  let proxmox: OnProxmox;
  beforeEach(async () => {
    proxmox = await startOnProxmox();
  });
  afterEach(() => proxmox.close());

  it("is waited for until the task has ended", async () => {
    proxmox.double.fault({ kind: "slow-task", task: "qmsnapshot", ms: 400 });
    await takeSnapshot(proxmox.guest, "one", "text", silently);
    assert.deepEqual(
      (await proxmox.snapshots()).map(({ name, description }) => [name, description]),
      [["one", "text"]],
    );
  });

  it("goes on waiting where its node is out of reach for a moment", async () => {
    // The first request about the node begins the task.
    proxmox.double.fault({ kind: "595", node: "pve1", skip: 1, times: 2 });
    await takeSnapshot(proxmox.guest, "one", "text", silently);
    assert.equal((await proxmox.snapshots()).length, 1);
  });

  it("ends with an error that has what the task said last", async () => {
    proxmox.double.fault({
      kind: "task-failure",
      task: "qmstop",
      message: "VM quit/powerdown failed",
    });
    proxmox.double.fault({
      kind: "task-failure",
      task: "qmshutdown",
      message: "VM quit/powerdown failed",
    });
    await assert.rejects(
      stopGuest(proxmox.guest, silently),
      (error) =>
        error instanceof ProxmoxError &&
        error.kind === "failed" &&
        /^shutdown of k8s-master-2 \(VM 205 on pve1\): VM quit\/powerdown failed \(task UPID:.*\)\n +TASK ERROR: VM quit/.test(
          error.message,
        ),
    );
  });

  it("names the parameter that it does not take", async () => {
    await assert.rejects(
      takeSnapshot(proxmox.guest, "1st", "", silently),
      /answers POST \/nodes\/pve1\/qemu\/205\/snapshot: 400 Parameter verification failed\. \(snapname: invalid configuration ID\)/,
    );
  });

  it("stops and starts a machine, and leaves one alone that is so already", async () => {
    await stopGuest(proxmox.guest, silently);
    assert.deepEqual(await stateOf(proxmox.guest), { isRunning: false, isManaged: false });
    const before = proxmox.double.requests.length;
    await stopGuest(proxmox.guest, silently);
    await startGuest(proxmox.guest, silently);
    await startGuest(proxmox.guest, silently);
    assert.ok((await stateOf(proxmox.guest)).isRunning);
    const changes = proxmox.double.requests.slice(before).filter(({ method }) => method !== "GET");
    assert.deepEqual(
      changes.map(({ path }) => path.split("/").at(-1)),
      ["start"],
    );
  });

  it("does not wait for ever for a lock, and names it", async () => {
    const vm = proxmox.double.datacenter.vms.get(205);
    assert.ok(vm);
    vm.lock = "backup";
    await assert.rejects(
      untilUnlocked(proxmox.guest, 0, silently),
      /k8s-master-2 \(VM 205 on pve1\) is locked \(backup\); waited 0 s/,
    );
  });

  it("finds a machine on whichever node it is, and says when there is none", async () => {
    const access = accessOf(proxmox.double);
    assert.equal((await findGuest(access, 205)).node, "pve1");
    assert.equal(await lookForGuest(access, 999), undefined);
    await assert.rejects(findGuest(access, 999), /shows no machine 999/);
  });

  it("tells a machine's storages, and how much is free there", async () => {
    const [storage, ...more] = await storagesOf(proxmox.guest);
    assert.deepEqual(more, []);
    assert.equal(storage?.name, "local-lvm");
    assert.equal(storage.type, "lvmthin");
    assert.ok(Math.abs(storage.disksGiB - 2252 / 1024) < 0.01);
    assert.ok(storage.freeGiB > 100 && storage.freeGiB < 200);
  });
});

describe("the disks of a guest's configuration", () => {
  it("are no drives for CDs, empty or not, and nothing that is no drive", () => {
    assert.deepEqual(
      disksOf({
        scsi0: "local-zfs:vm-205-disk-0,discard=on,size=64G",
        virtio1: "nfs:205/vm-205-disk-1.qcow2,size=1T",
        ide2: "local:iso/triad-205.iso,media=cdrom,size=366K",
        ide0: "local-lvm:vm-205-cloudinit,media=cdrom",
        sata3: "none,media=cdrom",
        scsihw: "virtio-scsi-single",
        net0: "virtio=BC:24:11:00:00:01,bridge=vmbr0",
      }),
      [
        { key: "scsi0", storage: "local-zfs", sizeGiB: 64 },
        { key: "virtio1", storage: "nfs", sizeGiB: 1024 },
      ],
    );
  });
});
