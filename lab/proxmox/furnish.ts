import { randomUUID } from "node:crypto";
import type { Datacenter } from "./datacenter.ts";
import { freshMac } from "./networks.ts";
import type { GuestOptions, TemplateOptions } from "./options.ts";
import { printSize } from "./size.ts";
import { newVm } from "./vm.ts";

/** Puts in what is there from the start: templates, and what others run. */
export function furnish(datacenter: Datacenter): void {
  const { templates = [], guests = [], pools = [] } = datacenter.options;
  for (const pool of pools) datacenter.pools.set(pool, new Set());
  for (const template of templates) addTemplate(datacenter, template);
  for (const guest of guests) if (guest.kind === "qemu") addGuest(datacenter, guest);
}

/** A cloud-init template as the usual instructions make one. */
function addTemplate({ vms, storages }: Datacenter, template: TemplateOptions): void {
  const { id, name, node, storage: storageName, diskBytes } = template;
  const storage = storages.get(node, storageName);
  const seed = storage.allocate(id, "cloudinit", 4 * 1024 ** 2);
  // What becomes a template has its disk renamed.
  const disk = storage.allocate(id, "disk-0", diskBytes).replace(/\bvm-/, "base-");
  storage.volumes.delete(storage.volumeName(id, "disk-0"));
  storage.volumes.set(disk, {
    ...{ bytes: diskBytes, content: "images", format: storage.format, vmid: id },
  });
  const config = {
    ...{ name, template: 1, memory: "2048", cores: 2, sockets: 1, numa: 0, ostype: "l26" },
    ...{ agent: "1", boot: "order=scsi0", scsihw: "virtio-scsi-pci", cpu: "host" },
    ...{ serial0: "socket", vga: "serial0" },
    scsi0: `${storageName}:${disk},size=${printSize(diskBytes)}`,
    ide2: `${storageName}:${seed},media=cdrom,size=4M`,
    net0: `virtio=${freshMac()},bridge=vmbr0`,
    meta: "creation-qemu=10.0.2,ctime=1756000000",
    smbios1: `uuid=${randomUUID()}`,
    vmgenid: randomUUID(),
    ...template.config,
  };
  vms.set(id, newVm({ id, node, config }));
}

function addGuest({ vms }: Datacenter, guest: GuestOptions): void {
  const { id, node, name, memoryBytes, cpus, mac, onBoot, running, isReal = false } = guest;
  const config = {
    ...{ name, memory: String(memoryBytes / 1024 ** 2), cores: cpus, sockets: 1 },
    onboot: onBoot ? 1 : 0,
    ...(mac === undefined ? {} : { net0: `virtio=${mac.toUpperCase()},bridge=vmbr0` }),
  };
  const vm = newVm({ id, node, config, isGuest: !isReal });
  if (running) vm.running = { config: { ...config }, since: Date.now(), pid: 40_000 + id };
  vms.set(id, vm);
}
