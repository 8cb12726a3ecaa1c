import * as z from "zod";
import { ask, type ProxmoxAccess } from "./api.ts";
import { flag } from "./flag.ts";

/** What a token may do: by path, then right; the value says whether it holds below too. */
export type Rights = Readonly<Record<string, Readonly<Record<string, boolean>>>>;

const answer = z.record(z.string(), z.record(z.string(), flag));

/** What the token may do. @throws ProxmoxError */
export async function rightsOf(access: ProxmoxAccess): Promise<Rights> {
  return await ask(access, "/access/permissions", answer);
}

/** By the nearest path above that Proxmox told of: it tells the effective rights of each that has some of its own. */
export function hasRight(rights: Rights, path: string, right: string): boolean {
  const exact = rights[path];
  if (exact !== undefined) return exact[right] !== undefined;
  for (let above = parent(path); ; above = parent(above)) {
    const known = rights[above];
    if (known !== undefined) return known[right] === true;
    if (above === "/") return false;
  }
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
