import assert from "node:assert/strict";
import { type MemoryHypervisor, memoryHypervisor } from "../../../lab/proxmox/memoryHypervisor.ts";
import { ask, done } from "./support/client.ts";
import { type Double, startDouble } from "./support/double.ts";

describe("VMs on the double of Proxmox", () => {
  let double: Double;
  let hypervisor: MemoryHypervisor;
  const vm = "/nodes/pve1/qemu/100";

  beforeEach(async () => {
    hypervisor = memoryHypervisor();
    double = await startDouble({ taskMs: 1, pools: ["kubernetes"], hypervisor });
    const clone = { newid: "100", name: "a", pool: "kubernetes", full: "1" };
    assert.equal(await done(double, "POST", "/nodes/pve1/qemu/9000/clone", clone), "OK");
  });
  afterEach(() => double.close());

  const get = async (path: string) => (await ask(double, "GET", path)).body.data;

  it("have a number, disks and an address of their own", async () => {
    const [config, template] = [
      await get(`${vm}/config`),
      await get("/nodes/pve1/qemu/9000/config"),
    ];
    assert.equal(config.scsi0, "local-lvm:vm-100-disk-0,size=2252M");
    assert.equal(template.scsi0, "local-lvm:base-9000-disk-0,size=2252M");
    assert.notEqual(config.net0, template.net0);
    assert.deepEqual([config.template, template.template], [undefined, 1]);
    const [pool] = await get("/pools?poolid=kubernetes");
    assert.deepEqual(
      pool.members.map(({ id }: { id: string }) => id),
      ["qemu/100"],
    );
    assert.equal(await get("/cluster/nextid"), "101");
    assert.equal((await ask(double, "GET", "/cluster/nextid?vmid=100")).status, 400);
  });

  it("are locked while they are cloned, and their template lets no other clone begin", async () => {
    const lift = double.fault({ kind: "slow-task", task: "qmclone", ms: 1500 });
    const first = done(double, "POST", "/nodes/pve1/qemu/9000/clone", { newid: "101" });
    const locked = async () => (await get("/nodes/pve1/qemu/101/status/current"))?.lock;
    while ((await locked()) === undefined);
    assert.equal(await locked(), "clone");
    const start = await ask(double, "POST", "/nodes/pve1/qemu/101/status/start");
    assert.equal(start.reason, "VM is locked (clone)");
    const second = await done(double, "POST", "/nodes/pve1/qemu/9000/clone", { newid: "102" });
    assert.match(second, /can't lock file .*lock-9000\.conf' - got timeout/);
    assert.equal(await first, "OK");
    lift();
    assert.equal(await locked(), undefined);
  });

  it("have what was changed while they run from their next start on", async () => {
    await done(double, "POST", `${vm}/status/start`);
    await ask(double, "PUT", `${vm}/config`, { memory: "4096", tags: "b;a" });
    const { maxmem, tags } = await get(`${vm}/status/current`);
    assert.deepEqual([maxmem, tags], [2048 * 1024 ** 2, "a;b"]);
    const pending = await get(`${vm}/pending`);
    assert.deepEqual(
      pending.filter((one: object) => "pending" in one),
      [{ key: "memory", value: "2048", pending: "4096" }],
    );
    await done(double, "POST", `${vm}/status/reboot`);
    assert.equal((await get(`${vm}/status/current`)).maxmem, 4096 * 1024 ** 2);
  });

  it("are not started twice, nor beyond the node's memory, nor destroyed while they run", async () => {
    assert.equal(await done(double, "POST", `${vm}/status/start`), "OK");
    assert.equal(await done(double, "POST", `${vm}/status/start`), "VM 100 already running");
    assert.equal(
      await done(double, "DELETE", `${vm}/?purge=1`),
      "VM 100 is running - destroy failed",
    );
    assert.equal(await done(double, "POST", `${vm}/status/stop`), "OK");
    await ask(double, "PUT", `${vm}/config`, { memory: String(65 * 1024) });
    assert.match(await done(double, "POST", `${vm}/status/start`), /Cannot allocate memory/);
  });

  it("are not destroyed while they are protected, and leave nothing when they are", async () => {
    await ask(double, "PUT", `${vm}/config`, { protection: "1" });
    assert.match(await done(double, "DELETE", vm), /protection mode enabled/);
    await ask(double, "PUT", `${vm}/config`, { delete: "protection" });
    assert.equal(await done(double, "DELETE", `${vm}/?purge=1`), "OK");
    assert.equal((await ask(double, "GET", `${vm}/config`)).status, 500);
    assert.deepEqual((await get("/pools?poolid=kubernetes"))[0].members, []);
    const content = await get("/nodes/pve1/storage/local-lvm/content");
    assert.deepEqual(
      content.map(({ vmid }: { vmid: number }) => vmid),
      [9000, 9000],
    );
  });

  it("go back to a snapshot, with the configuration that they had", async () => {
    assert.equal(await done(double, "POST", `${vm}/snapshot`, { snapname: "before" }), "OK");
    await ask(double, "PUT", `${vm}/config`, { cores: "8" });
    await done(double, "POST", `${vm}/status/start`);
    assert.equal(await done(double, "POST", `${vm}/snapshot/before/rollback`), "OK");
    assert.equal((await get(`${vm}/config`)).cores, 2);
    assert.equal((await get(`${vm}/status/current`)).status, "stopped");
    const names = async () =>
      (await get(`${vm}/snapshot`)).map(({ name }: { name: string }) => name);
    assert.deepEqual(await names(), ["before", "current"]);
    assert.equal(await done(double, "DELETE", `${vm}/snapshot/before`), "OK");
    assert.deepEqual(await names(), ["current"]);
  });

  it("tell their addresses once they run, by their guest agent", async () => {
    const path = `${vm}/agent/network-get-interfaces`;
    assert.equal((await ask(double, "GET", path)).reason, "VM 100 is not running");
    await ask(double, "PUT", `${vm}/config`, { ipconfig0: "ip=192.0.2.21/24", agent: "enabled=1" });
    await done(double, "POST", `${vm}/status/start`);
    const [loopback, own] = (await get(path)).result;
    assert.equal(loopback.name, "lo");
    assert.deepEqual(own["ip-addresses"], [
      { "ip-address": "192.0.2.21", prefix: 24, "ip-address-type": "ipv4" },
    ]);
    const { net0 } = await get(`${vm}/config`);
    assert.ok(net0.includes(own["hardware-address"].toUpperCase()));
  });

  it("show a file inside to who may read it, by their guest agent", async () => {
    const path = `${vm}/agent/file-read`;
    const file = "/etc/ssh/ssh_host_ed25519_key.pub";
    await done(double, "POST", `${vm}/status/start`);
    const refused = await ask(double, "GET", `${path}?file=${file}`);
    assert.match(refused.reason, /VM\.GuestAgent\.FileRead/);
    hypervisor.files.set(file, "ssh-ed25519 AAAA\n");
    assert.deepEqual(await double.byHand("GET", path, { file }), { content: "ssh-ed25519 AAAA\n" });
    const missing = double.byHand("GET", path, { file: "/none" });
    await assert.rejects(missing, /failed to open file '\/none'/);
  });

  it("boot with a disc that was uploaded, and without it once it is taken out", async () => {
    const storage = "/nodes/pve1/storage/local";
    const file = new File(["seed"], "seed.iso");
    assert.equal(await done(double, "POST", `${storage}/upload`, { content: "iso" }, file), "OK");
    assert.deepEqual(await get(`${storage}/content?content=iso`), [
      { volid: "local:iso/seed.iso", content: "iso", format: "iso", size: 4 },
    ]);
    await ask(double, "PUT", `${vm}/config`, { ide3: "local:iso/seed.iso,media=cdrom" });
    await done(double, "POST", `${vm}/status/start`);
    const discs = () =>
      hypervisor.notes.get(100)?.machine.discs.map((one) => String(Buffer.from(one)));
    assert.deepEqual(discs(), ["seed"]);
    await ask(double, "PUT", `${vm}/config`, { ide3: "none,media=cdrom" });
    await done(double, "POST", `${vm}/status/stop`);
    await done(double, "POST", `${vm}/status/start`);
    assert.deepEqual(discs(), []);
    const volume = `${storage}/content/${encodeURIComponent("local:iso/seed.iso")}`;
    assert.equal((await get(volume)).size, 4);
    await double.byHand("DELETE", volume);
    await double.datacenter.tasks.settle();
    assert.match((await ask(double, "GET", volume)).reason, /does not exist/);
  });

  it("lose the cloud-init drive that something else takes the place of; a disk stays, unused", async () => {
    await ask(double, "PUT", `${vm}/config`, { ide2: "none,media=cdrom" });
    await ask(double, "PUT", `${vm}/config`, { scsi0: "local-lvm:1" });
    const { scsi0, unused0 } = await get(`${vm}/config`);
    assert.deepEqual(
      [scsi0, unused0],
      ["local-lvm:vm-100-disk-1,size=1G", "local-lvm:vm-100-disk-0"],
    );
    const volumes = await get("/nodes/pve1/storage/local-lvm/content");
    assert.deepEqual(
      volumes
        .map(({ volid }: { volid: string }) => volid)
        .filter((id: string) => /vm-100/.test(id)),
      ["local-lvm:vm-100-disk-0", "local-lvm:vm-100-disk-1"],
    );
  });

  it("can be made of an image, and not in another's place", async () => {
    const local = double.datacenter.storages.get("pve1", "local");
    local.putFile("import/debian.qcow2", new Uint8Array(2 * 1024 ** 2));
    const form = {
      ...{ vmid: "101", name: "b", cores: "4", net0: "virtio,bridge=vmbr0", pool: "kubernetes" },
      scsi0: "file=local-lvm:0,import-from=local:import/debian.qcow2",
    };
    assert.equal(await done(double, "POST", "/nodes/pve1/qemu", form), "OK");
    const { scsi0, cores, smbios1 } = await get("/nodes/pve1/qemu/101/config");
    assert.deepEqual([scsi0, cores], ["local-lvm:vm-101-disk-0,size=2M", 4]);
    assert.match(smbios1, /^uuid=/);
    assert.match(await done(double, "POST", "/nodes/pve1/qemu", form), /VM 101 already exists/);
    double.fault({ kind: "task-failure", task: "qmcreate", message: "no image" });
    const other = { ...form, vmid: "102" };
    assert.equal(await done(double, "POST", "/nodes/pve1/qemu", other), "no image");
    assert.equal(await get("/cluster/nextid"), "102");
  });

  it("go back to the newest snapshot alone, where their disks are on ZFS", async () => {
    const { options } = double.datacenter.storages.get("pve1", "local-lvm");
    Object.assign(options, { type: "zfspool" });
    for (const snapname of ["one", "two"]) {
      assert.equal(await done(double, "POST", `${vm}/snapshot`, { snapname }), "OK");
    }
    assert.equal(
      await done(double, "POST", `${vm}/snapshot/one/rollback`),
      "can't rollback, 'one' is not most recent snapshot on 'local-lvm:vm-100-disk-0'",
    );
    assert.equal(await done(double, "POST", `${vm}/snapshot/two/rollback`), "OK");
  });

  it("move a disk to another storage, where it is alone", async () => {
    const move = { disk: "scsi0", storage: "local-lvm", delete: "1" };
    assert.equal(await done(double, "POST", `${vm}/move_disk`, move), "OK");
    const config = await get(`${vm}/config`);
    assert.match(config.scsi0, /^local-lvm:vm-100-disk-1,size=2252M$/);
    assert.equal(config.unused0, undefined);
  });
});
