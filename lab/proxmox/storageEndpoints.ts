import { z } from "zod";
import { type Need, need } from "./access.ts";
import { ApiError } from "./apiError.ts";
import { type Datacenter, findVm } from "./datacenter.ts";
import { placeDrive, removeDrive, volumeOf } from "./drives.ts";
import { flag, onNode, onVm } from "./parameters.ts";
import type { Storage, Volume } from "./storage.ts";
import { checkLock } from "./vm.ts";

const onStorage = onNode.extend({ storage: z.string() });
const audit = ({ storage }: { storage: string }): readonly Need[] => [
  need("Datastore.Audit", `/storage/${storage}`),
];

/** Storages, what lies on them, and what is put there. */
export function storageEndpoints(datacenter: Datacenter): void {
  const { api, storages, tasks } = datacenter;
  const at = "/nodes/:node/storage/:storage";
  api.on("GET", "/nodes/:node/storage", {
    input: onNode.extend({
      content: z.string().optional(),
      storage: z.string().optional(),
      enabled: flag.optional(),
      target: z.string().optional(),
      format: flag.optional(),
    }),
    answer: ({ node, content, storage }, caller) =>
      storages
        .of(node)
        .filter(({ options }) => caller.allows(`/storage/${options.name}`, "Datastore.Audit"))
        .filter(({ options }) => storage === undefined || options.name === storage)
        .filter(({ options }) => content === undefined || holds(options.content, content))
        .map(rowOf),
  });
  api.on("GET", `${at}/status`, {
    input: onStorage,
    needs: audit,
    answer: ({ node, storage }) => rowOf(storages.get(node, storage)),
  });
  api.on("GET", `${at}/content`, {
    input: onStorage.extend({ content: z.string().optional(), vmid: z.coerce.number().optional() }),
    needs: audit,
    answer: ({ node, storage, content, vmid }) =>
      [...storages.get(node, storage).volumes]
        .filter(([, volume]) => content === undefined || volume.content === content)
        .filter(([, volume]) => vmid === undefined || volume.vmid === vmid)
        .map(([name, volume]) => contentRow(storage, name, volume)),
  });
  api.on("GET", `${at}/content/:volume`, {
    input: onStorage.extend({ volume: z.string() }),
    needs: audit,
    answer: ({ node, storage, volume: id }) => {
      const { volume, name } = storages.volume(node, idOf(storage, id));
      const { bytes: size, format } = volume;
      return { path: `/dev/${storage}/${name}`, size, used: size, format };
    },
  });
  api.on("DELETE", `${at}/content/:volume`, {
    input: onStorage.extend({ volume: z.string(), delay: z.coerce.number().optional() }),
    needs: ({ storage }) => [need("Datastore.Allocate", `/storage/${storage}`)],
    answer: ({ node, storage, volume: id }, { user }) => {
      const { storage: holder, name } = storages.volume(node, idOf(storage, id));
      return tasks.begin("imgdel", { node, id: idOf(storage, id), user }, async (pass) => {
        await pass();
        holder.volumes.delete(name);
      });
    },
  });
  api.on("POST", `${at}/upload`, {
    input: onStorage.extend({
      content: z.enum(["iso", "import", "vztmpl"]),
      filename: z.object({ name: z.string(), data: z.instanceof(Uint8Array) }),
    }),
    needs: ({ storage }) => [need("Datastore.AllocateTemplate", `/storage/${storage}`)],
    answer: ({ node, storage, content, filename: { name, data } }, { user }) => {
      const holder = storages.get(node, storage);
      if (!holder.options.content.includes(content)) {
        throw new ApiError(500, `can't upload to storage '${storage}': no '${content}' there`);
      }
      return tasks.begin("imgcopy", { node, id: storage, user }, async (pass) => {
        await pass();
        holder.putFile(`${content}/${name}`, data);
      });
    },
  });
  api.on("POST", "/nodes/:node/qemu/:vmid/move_disk", {
    input: onVm.extend({
      disk: z.string(),
      storage: z.string(),
      delete: flag.optional(),
      format: z.string().optional(),
    }),
    needs: ({ vmid, storage }) => [
      need("VM.Config.Disk", `/vms/${vmid}`),
      need("Datastore.AllocateSpace", `/storage/${storage}`),
    ],
    answer: ({ node, vmid, disk, storage, delete: removes }, { user }) => {
      const vm = findVm(datacenter, node, vmid);
      checkLock(vm);
      const drive = String(vm.config[disk] ?? "");
      const from = storages.volume(node, volumeOf(drive) ?? "");
      const place = `${storage}:${from.volume.bytes / 1024 ** 3}`;
      return tasks.begin("qmmove", { node, id: vmid, user }, async (pass) => {
        await pass();
        const moved = placeDrive(storages, vm, disk, drive.replace(volumeOf(drive) ?? "", place));
        removeDrive(storages, vm, disk);
        vm.config[disk] = moved;
        const unused = Object.entries(vm.config).find(
          ([key, value]) => key.startsWith("unused") && value === volumeOf(drive),
        );
        if (removes === true && unused) removeDrive(storages, vm, unused[0]);
      });
    },
  });
}

function holds(all: readonly string[], asked: string): boolean {
  return asked.split(",").some((one) => all.includes(one));
}

/** A volume may be asked for with its storage's name before it or without. */
function idOf(storage: string, id: string): string {
  return id.includes(":") ? id : `${storage}:${id}`;
}

function rowOf({ options, usedBytes }: Storage): Readonly<Record<string, unknown>> {
  const { name: storage, type, content, totalBytes: total, shared } = options;
  return {
    ...{ storage, type, content: content.join(","), active: 1, enabled: 1 },
    ...{ shared: shared ? 1 : 0, total, used: usedBytes, avail: Math.max(0, total - usedBytes) },
  };
}

function contentRow(
  storage: string,
  name: string,
  { content, format, bytes, vmid }: Volume,
): Readonly<Record<string, unknown>> {
  const owner = vmid === undefined ? {} : { vmid };
  return { volid: `${storage}:${name}`, content, format, size: bytes, ...owner };
}
