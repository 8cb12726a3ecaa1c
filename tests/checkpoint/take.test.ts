import assert from "node:assert/strict";
import type { EtcdMember } from "../../acts/etcdMembers.ts";
import { checkpointOf, type CheckpointWork } from "../../acts/checkpoint/take.ts";
import { SshError } from "../../ssh/connection.ts";
import { clusterOf, ConnectionDouble, machineOf, memberOf } from "../acts/k3s/doubles.ts";
import { privileges } from "../lab/proxmox/support/double.ts";
import { type OnProxmox, startOnProxmox } from "./support/onProxmox.ts";
import { startVirtualServer, type VirtualServer } from "./support/virtualServer.ts";

const name = "k8s-master-2";
const nowhere = { machine: machineOf(name, name), identity: { agent: false } };

interface World {
  readonly members?: EtcdMember[];
  /** Whether the guard is still there when it is taken away. */
  readonly stands?: boolean;
  /** Of the machine itself; that of the guest unless told. */
  readonly macs?: readonly string[];
  /** Where it answers; nowhere unless told. */
  readonly target?: Pick<VirtualServer, "machine" | "identity">;
  /** Whether the connection breaks before the guard is taken away. */
  readonly breaks?: boolean;
}

describe("a checkpoint of a server", function () {
  this.timeout(20_000);
  let proxmox: OnProxmox;
  beforeEach(async () => {
    proxmox = await startOnProxmox();
  });
  afterEach(() => proxmox.close());

  function world({
    members,
    stands = true,
    macs = [proxmox.mac],
    target: { machine, identity } = nowhere,
    breaks = false,
  }: World = {}) {
    const list = members ?? [memberOf("k8s-master"), memberOf(name), memberOf("k8s-master-3")];
    const happened: string[] = [];
    const told: string[] = [];
    const seen = { guarded: false, here: false, active: true, checkpoint: "", macs };
    const script = "Keeps a server from coming up out of a checkpoint";
    const connection = new ConnectionDouble(machine, [
      [script, "check", seen],
      [script, "ensure", { changed: true }],
      [script, "remove", { changed: true, was: stands }],
    ]);
    const run = connection.run.bind(connection);
    connection.run = async (command, text) => {
      const verb = command.split(" ").at(-1) ?? "";
      const count = (await proxmox.snapshots()).length;
      if (verb !== "check") happened.push(`${verb} at ${count} snapshots`);
      if (breaks && verb === "remove") throw new SshError("unreachable", "the connection broke");
      return await run(command, text);
    };
    const plain = clusterOf({ connection, members: list });
    const cluster = {
      ...plain,
      distribution: {
        ...plain.distribution,
        moveLeader: async (_cluster: unknown, leader: EtcdMember, heir: EtcdMember) => {
          happened.push(`${heir.name} leads`);
          list.splice(list.indexOf(leader), 1, { ...leader, leader: false });
          list.splice(list.indexOf(heir), 1, { ...heir, leader: true });
        },
      },
    };
    const request: CheckpointWork["request"] = {
      distribution: "kubeadm",
      identity,
      peers: [],
      clusterName: "homelab",
      proxmox: { endpoint: proxmox.double.url, insecure: false },
      keep: 1,
      guests: [{ machine, vmId: 205 }],
      change: {},
    };
    const progress = (line: string): number => told.push(line);
    const work = { cluster, request, machine, guest: proxmox.guest, progress };
    return {
      happened,
      told,
      take: async () => await checkpointOf(work, connection),
    };
  }

  it("is taken while its guard is on the disk, and says whose it is", async () => {
    const { happened, take } = world();
    const taken = await take();
    assert.deepEqual(happened, ["ensure at 0 snapshots", "remove at 1 snapshots"]);
    const [snapshot, ...more] = await proxmox.snapshots();
    assert.equal(snapshot?.name, taken);
    assert.match(
      snapshot?.description ?? "",
      /^Triad checkpoint of k8s-master-2 in homelab; servers: 3;/,
    );
    assert.deepEqual(more, []);
    assert.ok(proxmox.isRunning());
  });

  it("is of disks alone: with its memory etcd would go on as if no time had passed", async () => {
    await world().take();
    const asked = proxmox.double.requests.find(
      ({ method, path }) => method === "POST" && path.endsWith("/snapshot"),
    );
    // `vmstate` would keep it.
    assert.deepEqual(asked?.keys, ["description", "snapname"]);
  });

  it("is never taken of etcd's leader: somebody else leads first", async () => {
    const members = [memberOf("k8s-master"), memberOf(name, { leader: true }), memberOf("hp")];
    const { happened, take } = world({ members });
    await take();
    assert.deepEqual(happened, [
      "k8s-master leads",
      "ensure at 0 snapshots",
      "remove at 1 snapshots",
    ]);
  });

  it("is taken of one that is alone, though it leads: nobody else could", async () => {
    const { happened, take } = world({ members: [memberOf(name, { leader: true })] });
    await take();
    assert.deepEqual(happened, ["ensure at 0 snapshots", "remove at 1 snapshots"]);
    assert.match((await proxmox.snapshots())[0]?.description ?? "", /servers: 1;/);
  });

  it("is taken of one on SQLite, which has no members", async () => {
    assert.ok(await world({ members: [] }).take());
  });

  it("is none where the machine is no member, though its Node is there: it is empty", async () => {
    const { happened, told, take } = world({ members: [memberOf("k8s-master")] });
    assert.equal(await take(), undefined);
    assert.deepEqual(happened, []);
    assert.match(told.join("\n"), /k8s-master-2 is no member of etcd/);
  });

  it("waits for nobody of two voters, but says that what is written waits", async () => {
    const { told, take } = world({ members: [memberOf("k8s-master"), memberOf(name)] });
    assert.ok(await take());
    assert.match(told.join("\n"), /warning: of two voters etcd needs both/);
  });

  it("leaves no guard behind where the connection broke while the machine paused", async () => {
    const server = await startVirtualServer(name, (verb) => {
      happened.push(`${verb} anew`);
      return { changed: true, was: true };
    });
    const { happened, take } = world({ target: server, breaks: true });
    try {
      assert.ok(await take());
      assert.deepEqual(happened, ["ensure at 0 snapshots", "remove at 1 snapshots", "remove anew"]);
    } finally {
      server.close();
    }
  });

  it("is left out, with a warning, where etcd could not do without it for a moment", async () => {
    const ill = [memberOf("k8s-master"), memberOf(name), memberOf("hp", { healthy: false })];
    const { happened, told, take } = world({ members: ill });
    assert.equal(await take(), undefined);
    assert.deepEqual(happened, []);
    assert.match(told.join("\n"), /warning: no checkpoint of k8s-master-2: etcd needs it/);
  });

  it("is refused where the number at Proxmox is another machine's", async () => {
    const { happened, take } = world({ macs: ["52:54:00:00:00:01"] });
    await assert.rejects(take(), /it is another machine, and a rollback would set that one back/);
    assert.deepEqual(happened, []);
  });

  it("that fails ends the run with what Proxmox said, and leaves no guard behind", async () => {
    const message = "snapshot feature is not available";
    proxmox.double.fault({ kind: "task-failure", task: "qmsnapshot", message });
    const { happened, take } = world();
    await assert.rejects(
      take(),
      /snapshot feature is not available \(task UPID:pve1:[^)]*:qmsnapshot:205:.*\)\n +TASK ERROR[^]*move its disks to a storage that takes snapshots/,
    );
    assert.deepEqual(happened, ["ensure at 0 snapshots", "remove at 0 snapshots"]);
  });

  it("that was taken without its guard is deleted again", async () => {
    await assert.rejects(world({ stands: false }).take(), /its guard was gone before/);
    assert.deepEqual(await proxmox.snapshots(), []);
  });

  it("is refused before anything is done where its storage is nearly full", async () => {
    proxmox.double.fault({ kind: "storage-full", storage: "local-lvm" });
    const { happened, take } = world();
    await assert.rejects(take(), /0\.0 GiB free on local-lvm.*\n.*\n.*make room on local-lvm/);
    assert.deepEqual(happened, []);
  });

  it("waits for whoever holds the machine", async () => {
    const vm = proxmox.double.datacenter.vms.get(205);
    assert.ok(vm);
    vm.lock = "backup";
    const { told, take } = world();
    setTimeout(() => (vm.lock = undefined), 300);
    assert.ok(await take());
    assert.match(
      told.join("\n"),
      /waiting for k8s-master-2 \(VM 205 on pve1\): it is locked \(backup\)/,
    );
  });

  it("is refused with the right that the token lacks", async () => {
    await proxmox.close();
    const secret = crypto.randomUUID();
    const less = privileges.filter((right) => right !== "VM.Snapshot");
    const tokens = [{ id: "triad@pve!lab", secret, privileges: less }];
    proxmox = await startOnProxmox({ tokens }, `triad@pve!lab=${secret}`);
    const { happened, take } = world();
    await assert.rejects(
      take(),
      /Permission check failed \(\/vms\/205, VM\.Snapshot\)[^]*give the token VM\.Audit and VM\.Snapshot on \/vms\/205/,
    );
    assert.deepEqual(happened, ["ensure at 0 snapshots", "remove at 0 snapshots"]);
  });
});
