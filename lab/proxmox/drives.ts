import { ApiError, badParameter } from "./apiError.ts";
import { parseProperties, printProperties } from "./propertyString.ts";
import { parseSize, printSize } from "./size.ts";
import type { Storages } from "./storage.ts";
import type { VmConfig } from "./vmConfig.ts";

/** The VM whose drives they are. */
interface Owner {
  readonly id: number;
  readonly node: string;
  readonly config: VmConfig;
}

const cloudInitBytes = 4 * 1024 ** 2;
const gigabyte = 1024 ** 3;

/** Does this key name a drive? */
export function isDrive(key: string): boolean {
  return /^(scsi|ide|sata|virtio|unused)\d+$|^(efidisk0|tpmstate0)$/.test(key);
}

/** The id of the volume in a drive, or undefined for an empty CD drive. */
export function volumeOf(drive: string): string | undefined {
  const { first, named } = parseProperties(drive);
  const volume = named.get("file") ?? named.get("volume") ?? first;
  return volume === undefined || volume === "none" || volume === "cdrom" ? undefined : volume;
}

/** Does a volume belong to this VM? */
export function isOwn(id: number, volume: string): boolean {
  return new RegExp(`\\bvm-${id}-`).test(volume);
}

/** Keys of a VM's drives with the ids of their volumes; CD images are among them. */
export function drivesOf(config: VmConfig): readonly { key: string; volume: string }[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const volume = isDrive(key) ? volumeOf(String(value)) : undefined;
    return volume === undefined ? [] : [{ key, volume }];
  });
}

/** Which keys hold a cloud-init drive. */
export function isCloudInit(volume: string): boolean {
  return /vm-\d+-cloudinit\b/.test(volume);
}

/**
 * Brings a drive that was asked for into the form in which it is kept; allocates what has to be made.
 * @throws ApiError where the storage cannot, or the volume does not exist.
 */
export function placeDrive(storages: Storages, owner: Owner, key: string, value: string): string {
  const { first, named } = parseProperties(value);
  const rest = new Map(named);
  const file = rest.get("file") ?? rest.get("volume") ?? first;
  if (file === undefined) throw badParameter(key, "invalid format - missing file");
  for (const name of ["file", "volume", "size"]) rest.delete(name);
  if (file === "none" || file === "cdrom") {
    return printProperties(file, new Map([...rest, ["media", "cdrom"]]));
  }
  const [storageName = "", wanted = ""] = file.split(":");
  const storage = storages.get(owner.node, storageName);
  if (wanted === "cloudinit") {
    const name = storage.allocate(owner.id, "cloudinit", cloudInitBytes);
    const drive = { media: "cdrom", size: printSize(cloudInitBytes) };
    return printProperties(`${storageName}:${name}`, new Map(Object.entries(drive)));
  }
  if (/^\d+(\.\d+)?$/.test(wanted)) {
    const source = rest.get("import-from");
    rest.delete("import-from");
    const bytes =
      source === undefined
        ? Number(wanted) * gigabyte
        : storages.volume(owner.node, source).volume.bytes;
    const name = storage.allocate(owner.id, storage.freeDisk(owner.id), bytes);
    return printProperties(`${storageName}:${name}`, rest.set("size", printSize(bytes)));
  }
  const { bytes } = storages.volume(owner.node, file).volume;
  return printProperties(file, rest.set("size", printSize(bytes)));
}

/** Takes a drive out of a VM: its cloud-init drive is removed with it, a disk stays as an unused one. */
export function removeDrive(storages: Storages, owner: Owner, key: string): void {
  const volume = volumeOf(String(owner.config[key] ?? ""));
  Reflect.deleteProperty(owner.config, key);
  if (volume === undefined || !isOwn(owner.id, volume)) return;
  const { storage, name } = storages.volume(owner.node, volume);
  if (isCloudInit(volume) || key.startsWith("unused")) {
    storage.volumes.delete(name);
    return;
  }
  let number = 0;
  while (`unused${number}` in owner.config) number += 1;
  owner.config[`unused${number}`] = volume;
}

/**
 * Grows a disk.
 * @param size in bytes, or with a unit; more by it with a `+` before
 * @throws ApiError where there is no such disk, no space, or it would shrink.
 */
export function resizeDrive(storages: Storages, owner: Owner, key: string, size: string): void {
  const volume = volumeOf(String(owner.config[key] ?? ""));
  if (volume === undefined) throw new ApiError(500, `disk '${key}' does not exist`);
  const { storage, name, volume: disk } = storages.volume(owner.node, volume);
  const asked = parseSize(size.replace(/^\+/, ""));
  if (asked === undefined) throw badParameter("size", "value does not match the regex pattern");
  const bytes = size.startsWith("+") ? disk.bytes + asked : asked;
  if (bytes < disk.bytes) throw new ApiError(500, "shrinking disks is not supported");
  storage.grow(name, bytes);
  const { first, named } = parseProperties(String(owner.config[key]));
  const grown = new Map([...named, ["size", printSize(bytes)]]);
  owner.config[key] = printProperties(first ?? volume, grown);
}
