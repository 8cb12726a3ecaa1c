/** A disk of a guest's configuration. */
export interface Drive {
  /** Where it hangs, such as `scsi0`. */
  readonly key: string;
  readonly storage: string;
  /** 0 where the configuration does not say. */
  readonly sizeGiB: number;
}

const units: Readonly<Record<string, number>> = { K: 2 ** -20, M: 2 ** -10, G: 1, T: 2 ** 10 };

/** In GiB, of a drive as a configuration has it, `local-lvm:base-9000-disk-0,size=2252M`; 0 where it says none. */
export function sizeGiB(drive: string): number {
  const [, amount = "0", unit = "G"] = /\bsize=([\d.]+)([KMGT])/.exec(drive) ?? [];
  return Number(amount) * (units[unit] ?? 1);
}

/** The disks of a guest's configuration: no drives for CDs, also not the one that Proxmox makes for cloud-init. */
export function disksOf(config: Readonly<Record<string, unknown>>): Drive[] {
  return Object.entries(config).flatMap(([key, value]) => {
    if (!/^(scsi|virtio|sata|ide)\d+$/.test(key) || typeof value !== "string") return [];
    const [storage = "", ...rest] = value.split(":");
    if (rest.length === 0 || /media=cdrom|cloudinit/.test(value)) return [];
    return [{ key, storage, sizeGiB: sizeGiB(value) }];
  });
}
