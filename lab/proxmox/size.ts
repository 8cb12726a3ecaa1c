const units = ["", "K", "M", "G", "T"] as const;

/** A size as Proxmox writes it: in the largest unit that leaves no rest, such as `20G` or `2252M`. */
export function printSize(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value}${units[unit] ?? ""}`;
}

/** Bytes of `21474836480`, `20G` or `2.5G`; undefined where it is no size. */
export function parseSize(text: string): number | undefined {
  const [, value, unit = ""] = /^(\d+(?:\.\d+)?)([KMGT])?$/.exec(text) ?? [];
  if (value === undefined) return undefined;
  const power = units.findIndex((one) => one === unit);
  return Math.round(Number(value) * 1024 ** power);
}
