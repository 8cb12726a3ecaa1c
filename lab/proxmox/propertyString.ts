/** Values such as `virtio=BC:24:11:00:00:01,bridge=vmbr0`: a first one that may stand without its name, and further ones. */
export interface Properties {
  /** The one without a name. */
  readonly first: string | undefined;
  readonly named: ReadonlyMap<string, string>;
}

/** Reads one; empty parts, as a trailing comma makes them, are skipped. */
export function parseProperties(text: string): Properties {
  let first: string | undefined;
  const named = new Map<string, string>();
  for (const part of text.split(",").filter((one) => one !== "")) {
    const [, name, value] = /^([\w-]+)=(.*)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) first ??= part;
    else named.set(name, value);
  }
  return { first, named };
}

/** Writes one as Proxmox keeps it: the first value, then the others by name. */
export function printProperties(first: string, named: ReadonlyMap<string, string>): string {
  const others = [...named].sort(([a], [b]) => (a < b ? -1 : 1));
  return [first, ...others.map(([name, value]) => `${name}=${value}`)].join(",");
}
