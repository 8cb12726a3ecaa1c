import * as z from "zod";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { ask, type ProxmoxAccess } from "../../proxmox/api.ts";
import { sizeGiB } from "../../proxmox/drives.ts";
import { flag } from "../../proxmox/flag.ts";
import { rightsOf } from "../../proxmox/rights.ts";
import type { GuestFacts, ProxmoxFacts, StorageFacts, TemplateFacts } from "./facts.ts";
import { virtualMachinesOf } from "./virtualMachinesOf.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const number = z.coerce.number();

const node = z.object({
  node: z.string(),
  status: z.string().default("unknown"),
  maxmem: number.optional(),
  maxcpu: number.optional(),
});
const guest = z.object({
  type: z.enum(["qemu", "lxc"]),
  vmid: number,
  name: z.string().default(""),
  node: z.string(),
  status: z.string().default("unknown"),
  template: flag,
  maxmem: number.default(0),
  maxcpu: number.default(0),
});
const storage = z.object({
  storage: z.string(),
  node: z.string(),
  status: z.string().default("unknown"),
  shared: flag,
  plugintype: z.string().default(""),
  content: z.string().default(""),
  maxdisk: number.default(0),
  disk: number.default(0),
});
const rows = z.array(z.looseObject({ type: z.string() }));
const config = z.record(z.string(), z.unknown());
const volumes = z.array(z.object({ volid: z.string() }));

/**
 * Looks at the Proxmox cluster that the plan's machines are created on, and changes nothing.
 * @throws ProxmoxError
 */
export async function lookAtProxmox(
  plan: ClusterPlan,
  access: ProxmoxAccess,
): Promise<ProxmoxFacts> {
  const [resources, permissions] = await Promise.all([
    ask(access, "/cluster/resources", rows),
    rightsOf(access),
  ]);
  const of = <Row>(type: z.ZodType<Row>, ...names: string[]): Row[] =>
    resources.filter((row) => names.includes(row.type)).map((row) => type.parse(row));
  const guests = of(guest, "qemu", "lxc");
  const created = virtualMachinesOf(plan);
  const templates = created.flatMap(({ vm: { source } }) =>
    source.kind === "template"
      ? guests.filter(({ vmid, template }) => vmid === source.vmId && template)
      : [],
  );
  return {
    nodes: of(node, "node").map(({ node: name, status, maxmem, maxcpu }) => ({
      name,
      online: status === "online",
      ...(maxmem ? { memoryMiB: Math.floor(maxmem / MIB) } : {}),
      ...(maxcpu ? { cpus: maxcpu } : {}),
    })),
    guests: await Promise.all(
      guests.map((row) =>
        guestFacts(
          access,
          row,
          created.some(({ vm }) => vm.vmId === row.vmid),
        ),
      ),
    ),
    storages: of(storage, "storage").map(storageFacts),
    templates: await Promise.all([...new Set(templates)].map((row) => templateFacts(access, row))),
    images: await images(access, created),
    rights: permissions,
  };
}

async function guestFacts(
  access: ProxmoxAccess,
  row: z.infer<typeof guest>,
  isOwn: boolean,
): Promise<GuestFacts> {
  const isRunning = row.status === "running" || row.status === "paused";
  const isAsked = !row.template && (isOwn || !isRunning);
  const { onboot, smbios1 } = isAsked ? await configOf(access, row) : {};
  return {
    vmId: row.vmid,
    name: row.name,
    node: row.node,
    kind: row.type,
    isTemplate: row.template,
    isRunning,
    onBoot: flag.parse(onboot),
    memoryMiB: Math.ceil(row.maxmem / MIB),
    cores: row.maxcpu,
    ...(isOwn && isAsked ? { serial: serialOf(smbios1) } : {}),
  };
}

/** Of `base64=1,serial=azhz,uuid=…`; empty where it says none. */
function serialOf(smbios: unknown): string {
  const text = typeof smbios === "string" ? smbios : "";
  const [, serial = ""] = /(?:^|,)serial=([^,]*)/.exec(text) ?? [];
  return /(?:^|,)base64=1/.test(text) ? Buffer.from(serial, "base64").toString() : serial;
}

async function configOf(
  access: ProxmoxAccess,
  { node: name, type, vmid }: z.infer<typeof guest>,
): Promise<z.infer<typeof config>> {
  return await ask(access, `/nodes/${name}/${type}/${vmid}/config`, config);
}

function storageFacts(row: z.infer<typeof storage>): StorageFacts {
  return {
    name: row.storage,
    node: row.node,
    isActive: row.status === "available",
    isShared: row.shared,
    type: row.plugintype,
    content: row.content.split(",").filter(Boolean),
    freeGiB: Math.floor(Math.max(0, row.maxdisk - row.disk) / GIB),
  };
}

async function templateFacts(
  access: ProxmoxAccess,
  row: z.infer<typeof guest>,
): Promise<TemplateFacts> {
  const drives = Object.entries(await configOf(access, row)).flatMap(([key, value]) =>
    /^(scsi|virtio|sata|ide)\d+$/.test(key) && typeof value === "string" ? [{ key, value }] : [],
  );
  const isCloudInit = ({ value }: { value: string }): boolean => value.includes("cloudinit");
  const disks = drives.filter((drive) => !isCloudInit(drive) && !/media=cdrom/.test(drive.value));
  return {
    vmId: row.vmid,
    disks: Object.fromEntries(disks.map(({ key, value }) => [key, sizeGiB(value)])),
    cloudInitDrives: drives.filter(isCloudInit).map(({ key }) => key),
  };
}

async function images(
  access: ProxmoxAccess,
  created: ReturnType<typeof virtualMachinesOf>,
): Promise<string[]> {
  const wanted = created.flatMap(({ vm: { node: name, source } }) =>
    source.kind === "image" ? [`${name} ${source.volume.split(":")[0] ?? ""}`] : [],
  );
  const found = await Promise.all(
    [...new Set(wanted)].map(async (place) => {
      const [name = "", where = ""] = place.split(" ");
      const path = `/nodes/${name}/storage/${encodeURIComponent(where)}/content?content=import`;
      const list = await ask(access, path, volumes);
      return list.map(({ volid }) => `${name} ${volid}`);
    }),
  );
  return found.flat();
}
