import { ApiError } from "./apiError.ts";
import type { TokenOptions } from "./options.ts";

/** Who asks. */
export interface Caller {
  /** As it stands in a task's id, such as `triad@pve!lab`. */
  readonly user: string;
  allows(path: string, privilege: string): boolean;
  /** Its privileges by path: at the roots of the tree, and wherever it was given other ones. */
  permissions(): Readonly<Record<string, readonly string[]>>;
}

/** The paths that Proxmox always tells of. */
const roots = ["/", "/access", "/nodes", "/pool", "/sdn", "/storage", "/vms"];

/** An administrator at the web interface: may do everything. */
export const root: Caller = { user: "root@pam", allows: () => true, permissions: () => ({}) };

/** What is asked for: one of the privileges, at one of the paths. */
export interface Need {
  readonly paths: readonly string[];
  readonly privileges: readonly string[];
}

/** Shorthand for a need of one privilege, or of one of several. */
export function need(privilege: string | readonly string[], ...paths: readonly string[]): Need {
  return { paths, privileges: typeof privilege === "string" ? [privilege] : privilege };
}

/**
 * Finds the caller by his token.
 * @throws ApiError 401 when it is unknown or wrong.
 */
export function callerOf(header: string | undefined, tokens: readonly TokenOptions[]): Caller {
  const [, id, secret] = /^PVEAPIToken=([^=]+)=(.+)$/.exec(header ?? "") ?? [];
  if (id === undefined) throw new ApiError(401, "No ticket");
  const token = tokens.find((one) => one.id === id);
  if (token === undefined) throw new ApiError(401, `no such token '${id}'`);
  if (token.secret !== secret) throw new ApiError(401, "invalid token value!");
  return {
    user: id,
    allows: (path, privilege) => privilegesAt(token, path).includes(privilege),
    permissions: () => {
      const given = Array.isArray(token.privileges) ? [] : Object.keys(token.privileges);
      const paths = [...new Set([...roots, ...given])];
      return Object.fromEntries(paths.map((path) => [path, privilegesAt(token, path)]));
    },
  };
}

/** @throws ApiError 403 with the first that is missing. */
export function demand(caller: Caller, needs: readonly Need[]): void {
  for (const { paths, privileges } of needs) {
    if (paths.some((path) => privileges.some((one) => caller.allows(path, one)))) continue;
    const lacking = `${paths[0] ?? "/"}, ${privileges.join("|")}`;
    throw new ApiError(403, `Permission check failed (${lacking})`);
  }
}

function privilegesAt({ privileges }: TokenOptions, path: string): readonly string[] {
  const byPath = new Map<string, readonly string[]>(
    Array.isArray(privileges) ? [["/", privileges]] : Object.entries(privileges),
  );
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("/")) || "/") {
    const found = byPath.get(at);
    if (found !== undefined || at === "/") return found ?? [];
  }
}
