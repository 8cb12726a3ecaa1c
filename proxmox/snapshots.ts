import * as z from "zod";
import { ask, tell } from "./api.ts";
import { disksOf } from "./drives.ts";
import { described, type Guest, pathOf } from "./guest.ts";
import { carryOut } from "./task.ts";

/** A snapshot of a guest's disks. */
export interface Snapshot {
  readonly name: string;
  readonly description: string;
  /** In seconds since 1970. */
  readonly at: number;
  /** Whether taking it, or deleting it, was not cut off. */
  readonly isWhole: boolean;
}

/** A storage that a guest has disks on. */
export interface GuestStorage {
  readonly name: string;
  /** As Proxmox names it: zfspool, lvmthin, dir, … */
  readonly type: string;
  readonly freeGiB: number;
  /** What the guest has there. */
  readonly disksGiB: number;
}

type Progress = (line: string) => void;

const list = z.array(
  z.object({
    name: z.string(),
    description: z.string().default(""),
    snaptime: z.coerce.number().optional(),
    snapstate: z.string().optional(),
  }),
);
const config = z.record(z.string(), z.unknown());
const room = z.object({ type: z.string().default(""), avail: z.coerce.number().default(0) });

const takeLimitMs = 600_000;
/** Some storages copy what a snapshot had kept. */
const copyLimitMs = 3_600_000;

/** A guest's snapshots, the oldest first. */
export async function snapshotsOf(guest: Guest): Promise<Snapshot[]> {
  const all = await ask(guest.access, `${pathOf(guest)}/snapshot`, list);
  return all
    .filter(({ name }) => name !== "current")
    .map(({ name, description, snaptime = 0, snapstate }) => ({
      name,
      description: description.trim(),
      at: snaptime,
      isWhole: snapstate === undefined || snapstate === "",
    }))
    .sort((one, other) => one.at - other.at || (one.name < other.name ? -1 : 1));
}

/**
 * Keeps the disks as they are; never the memory: etcd would go on from it as if no time had passed.
 * @throws ProxmoxError
 */
export async function takeSnapshot(
  guest: Guest,
  name: string,
  description: string,
  progress: Progress,
): Promise<void> {
  await carryOut(
    guest.access,
    {
      method: "POST",
      path: `${pathOf(guest)}/snapshot`,
      form: { snapname: name, description },
    },
    { what: `snapshot ${name} of ${described(guest)}`, limitMs: takeLimitMs, progress },
  );
}

/** Gives one another description. @throws ProxmoxError */
export async function describeSnapshot(
  guest: Guest,
  name: string,
  description: string,
): Promise<void> {
  const path = `${pathOf(guest)}/snapshot/${encodeURIComponent(name)}/config`;
  await tell(guest.access, { method: "PUT", path, form: { description } }, z.unknown());
}

/** Forgets one. @throws ProxmoxError */
export async function deleteSnapshot(
  guest: Guest,
  { name }: Snapshot,
  progress: Progress,
): Promise<void> {
  await carryOut(
    guest.access,
    { method: "DELETE", path: `${pathOf(guest)}/snapshot/${encodeURIComponent(name)}` },
    { what: `deleting snapshot ${name} of ${described(guest)}`, limitMs: copyLimitMs, progress },
  );
}

/**
 * Its disks and its configuration become what they were. It does not run afterwards.
 * @throws ProxmoxError
 */
export async function rollBackTo(
  guest: Guest,
  { name }: Snapshot,
  progress: Progress,
): Promise<void> {
  await carryOut(
    guest.access,
    {
      method: "POST",
      path: `${pathOf(guest)}/snapshot/${encodeURIComponent(name)}/rollback`,
    },
    { what: `rollback of ${described(guest)} to ${name}`, limitMs: copyLimitMs, progress },
  );
}

/** The storages that its disks are on. */
export async function storagesOf(guest: Guest): Promise<GuestStorage[]> {
  const disks = disksOf(await ask(guest.access, `${pathOf(guest)}/config`, config));
  const names = [...new Set(disks.map(({ storage }) => storage))];
  return await Promise.all(
    names.map(async (name) => {
      const path = `/nodes/${guest.node}/storage/${encodeURIComponent(name)}/status`;
      const { type, avail } = await ask(guest.access, path, room);
      const disksGiB = disks
        .filter(({ storage }) => storage === name)
        .reduce((sum, { sizeGiB }) => sum + sizeGiB, 0);
      return { name, type, freeGiB: avail / 2 ** 30, disksGiB };
    }),
  );
}
