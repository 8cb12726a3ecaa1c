import assert from "node:assert/strict";
import { placeDrive, removeDrive, resizeDrive } from "../../../lab/proxmox/drives.ts";
import { Faults } from "../../../lab/proxmox/faults.ts";
import { placeNetwork } from "../../../lab/proxmox/networks.ts";
import { keysOf, namesOf } from "../../../lab/proxmox/record.ts";
import { parseSize, printSize } from "../../../lab/proxmox/size.ts";
import { Storages } from "../../../lab/proxmox/storage.ts";
import { type VmConfig, plainValue, privilegeFor, shown } from "../../../lab/proxmox/vmConfig.ts";

const mac = "BC:24:11:0A:0B:0C";
const gigabyte = 1024 ** 3;

describe("the double of Proxmox keeps", () => {
  for (const [key, given, kept] of [
    ["cores", "2", 2],
    ["onboot", "yes", 1],
    ["numa", "0", 0],
    ["memory", "2048", "2048"],
    ["tags", "triad,k8s;k8s", "k8s;triad"],
    ["sshkeys", "ssh-ed25519%20AAAA", "ssh-ed25519%20AAAA"],
    ["cipassword", "$5$salt$hash", "$5$salt$hash"],
  ] as const) {
    it(`${key}=${given} as ${JSON.stringify(kept)}`, () => {
      assert.equal(plainValue(key, given), kept);
    });
  }

  it("no password as it came, and shows none", () => {
    const cipassword = plainValue("cipassword", "pw123");
    assert.match(String(cipassword), /^\$5\$[^$]+\$[^$]{43}$/);
    assert.equal(shown({ cipassword })["cipassword"], "**********");
  });

  it("no number that is none", () => {
    assert.throws(() => plainValue("cores", "two"), { status: 400 });
    assert.throws(() => plainValue("onboot", "perhaps"), { status: 400 });
    assert.throws(() => plainValue("name", "no_name"), { status: 400 });
  });

  it("a network device's address when none is given", () => {
    const before = `virtio=${mac},bridge=vmbr0`;
    assert.equal(
      placeNetwork("net0", "model=virtio,tag=20,bridge=vmbr1,firewall=0", before),
      `virtio=${mac},bridge=vmbr1,firewall=0,tag=20`,
    );
    assert.equal(
      placeNetwork("net0", `model=virtio,bridge=vmbr0,macaddr=${mac.toLowerCase()}`, undefined),
      before,
    );
    const fresh = placeNetwork("net0", "virtio,bridge=vmbr0", undefined);
    assert.match(fresh, /^virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0$/);
    assert.throws(() => placeNetwork("net0", "bridge=vmbr0", undefined), { status: 400 });
  });

  it("sizes in the largest unit without a rest", () => {
    for (const [bytes, text] of [
      [20 * gigabyte, "20G"],
      [2252 * 1024 ** 2, "2252M"],
      [1024 ** 4, "1T"],
      [1000, "1000"],
    ] as const) {
      assert.equal(printSize(bytes), text);
      assert.equal(parseSize(text), bytes);
    }
    assert.equal(parseSize("2.5G"), 2.5 * gigabyte);
    assert.equal(parseSize("many"), undefined);
  });
});

describe("the double's drives", () => {
  const nodes = (type: "lvmthin" | "dir") => [
    {
      ...{ name: "pve1", memoryBytes: 0, cpus: 1 },
      storages: [
        {
          name: "disks",
          type,
          content: ["images" as const],
          totalBytes: 50 * gigabyte,
          shared: false,
        },
      ],
    },
  ];
  let storages: Storages;
  let config: VmConfig;
  const place = (key: string, value: string): string =>
    (config[key] = placeDrive(storages, { id: 100, node: "pve1", config }, key, value));

  beforeEach(() => {
    storages = new Storages(nodes("lvmthin"), new Faults());
    config = {};
  });

  it("are made with the size that was asked for, and keep it", () => {
    const disk = "disks:vm-100-disk-0,aio=io_uring,size=20G";
    assert.equal(place("scsi0", "file=disks:20,aio=io_uring"), disk);
    assert.equal(place("scsi0", "file=disks:vm-100-disk-0,size=5,aio=io_uring"), disk);
    assert.equal(place("scsi1", "disks:1"), "disks:vm-100-disk-1,size=1G");
  });

  it("hold cloud-init's, which a removal takes with it while a disk stays as unused", () => {
    assert.equal(
      place("ide2", "file=disks:cloudinit,"),
      "disks:vm-100-cloudinit,media=cdrom,size=4M",
    );
    assert.throws(() => place("ide3", "disks:cloudinit"), /already exists/);
    place("scsi0", "disks:20");
    for (const key of ["ide2", "scsi0"]) {
      removeDrive(storages, { id: 100, node: "pve1", config }, key);
    }
    assert.deepEqual(config, { unused0: "disks:vm-100-disk-0" });
    assert.deepEqual([...storages.get("pve1", "disks").volumes.keys()], ["vm-100-disk-0"]);
  });

  it("grow to a size or by one, and never shrink", () => {
    place("scsi0", "disks:10");
    const owner = { id: 100, node: "pve1", config };
    resizeDrive(storages, owner, "scsi0", String(20 * gigabyte));
    resizeDrive(storages, owner, "scsi0", "+5G");
    assert.equal(config["scsi0"], "disks:vm-100-disk-0,size=25G");
    assert.throws(() => resizeDrive(storages, owner, "scsi0", "20G"), /shrinking disks/);
    assert.throws(() => resizeDrive(storages, owner, "scsi1", "20G"), /does not exist/);
    assert.throws(() => resizeDrive(storages, owner, "scsi0", "60G"), /thin pool is not enough/);
  });

  it("lie in a VM's folder where the storage is one", () => {
    storages = new Storages(nodes("dir"), new Faults());
    assert.equal(place("scsi0", "disks:20"), "disks:100/vm-100-disk-0.qcow2,size=20G");
    assert.throws(() => place("scsi1", "disks:40"), /No space left on device/);
  });
});

describe("the double's list of requests", () => {
  it("names parameters without their numbers, and what is deleted", () => {
    assert.deepEqual(keysOf({ net0: "virtio", ide2: "none", delete: "net1,net2,tags" }), [
      "delete=net*",
      "delete=tags",
      "ide*",
      "net*",
    ]);
    assert.deepEqual(keysOf({ disk: "", delete: "1" }), ["delete", "disk"]);
  });

  it("has each path and each parameter once", () => {
    const request = { method: "PUT", path: "/pools", status: 200 };
    assert.deepEqual(
      namesOf([
        { ...request, keys: ["vms", "delete"] },
        { ...request, keys: ["vms"] },
      ]),
      ["PUT /pools", "PUT /pools delete", "PUT /pools vms"],
    );
  });
});

describe("the double's privileges for a change", () => {
  for (const [key, value, privilege] of [
    ["net0", "", "VM.Config.Network"],
    ["ipconfig0", "", "VM.Config.Network"],
    ["ciuser", "", "VM.Config.Cloudinit"],
    ["scsi0", "disks:20", "VM.Config.Disk"],
    ["ide2", "disks:cloudinit,media=cdrom", "VM.Config.CDROM"],
    ["balloon", "", "VM.Config.Memory"],
    ["cores", "", "VM.Config.CPU"],
    ["tags", "", "VM.Config.Options"],
    ["vga", "", "VM.Config.HWType"],
    ["hookscript", "", undefined],
  ] as const) {
    it(`of ${key} ${value}: ${privilege ?? "root alone"}`, () => {
      assert.equal(privilegeFor(key, value), privilege);
    });
  }
});
