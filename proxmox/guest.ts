import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { ask, type ProxmoxAccess, ProxmoxError } from "./api.ts";
import { carryOut } from "./task.ts";

/** A virtual machine at Proxmox, and the way to it. */
export interface Guest {
  readonly access: ProxmoxAccess;
  readonly vmId: number;
  /** As Proxmox shows it. */
  readonly name: string;
  /** The node that it is on now. */
  readonly node: string;
}

/** How a guest is. */
export interface GuestState {
  readonly isRunning: boolean;
  /** Why it may not be touched now, such as `backup`. */
  readonly lock?: string;
  /** Whether Proxmox's high availability starts it when it is stopped. */
  readonly isManaged: boolean;
}

type Progress = (line: string) => void;

const rows = z.array(z.looseObject({ type: z.string(), vmid: z.coerce.number().optional() }));
const config = z.record(z.string(), z.unknown());
const row = z.object({ name: z.string().default(""), node: z.string() });
const current = z.object({
  status: z.string(),
  lock: z.string().optional(),
  ha: z.object({ managed: z.coerce.number().default(0) }).optional(),
});

/** How long a system may take to end by itself, in seconds, before the plug is pulled. */
const shutdownSeconds = 180;
const powerLimitMs = 600_000;

/** Finds a virtual machine by its number, on whichever node it is; undefined where the token sees none. */
export async function lookForGuest(
  access: ProxmoxAccess,
  vmId: number,
): Promise<Guest | undefined> {
  const all = await ask(access, "/cluster/resources?type=vm", rows);
  const found = all.find(({ type, vmid }) => type === "qemu" && vmid === vmId);
  return found && { access, vmId, ...row.parse(found) };
}

/** The same where there is one. @throws ProxmoxError where there is none */
export async function findGuest(access: ProxmoxAccess, vmId: number): Promise<Guest> {
  const found = await lookForGuest(access, vmId);
  if (found !== undefined) return found;
  const why = "there is none, or the token may not see it (VM.Audit)";
  throw new ProxmoxError("refused", `${access.endpoint} shows no machine ${vmId}: ${why}`);
}

/** The MAC addresses of its network devices, in small letters. */
export async function macsOf(guest: Guest): Promise<string[]> {
  const all = await ask(guest.access, `${pathOf(guest)}/config`, config);
  return Object.entries(all).flatMap(([key, value]) => {
    if (!/^net\d+$/.test(key) || typeof value !== "string") return [];
    return value.match(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/i)?.[0].toLowerCase() ?? [];
  });
}

/** Where the API has what is the guest's. */
export function pathOf({ node, vmId }: Guest): string {
  return `/nodes/${node}/qemu/${vmId}`;
}

/** The guest for people: `k8s-master (VM 205 on pve1)`. */
export function described({ name, node, vmId }: Guest): string {
  return `${name} (VM ${vmId} on ${node})`;
}

/** Looks at it. */
export async function stateOf(guest: Guest): Promise<GuestState> {
  const { status, lock, ha } = await ask(guest.access, `${pathOf(guest)}/status/current`, current);
  return {
    isRunning: status !== "stopped",
    isManaged: ha?.managed === 1,
    ...(lock === undefined || lock === "" ? {} : { lock }),
  };
}

/**
 * Waits until nobody else works on it.
 * @throws ProxmoxError naming the lock, when it is still there at the end
 */
export async function untilUnlocked(
  guest: Guest,
  limitMs: number,
  progress: Progress,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  let told = "";
  for (;;) {
    const { lock } = await stateOf(guest);
    if (lock === undefined) return;
    if (Date.now() > deadline) {
      const waited = `waited ${Math.round(limitMs / 1_000)} s`;
      throw new ProxmoxError("failed", `${described(guest)} is locked (${lock}); ${waited}`);
    }
    if (lock !== told) progress(`waiting for ${described(guest)}: it is locked (${lock})`);
    told = lock;
    await sleep(1_000);
  }
}

/**
 * Ends it: by its system, or by pulling the plug where that takes too long. It has ended when this is done.
 * @throws ProxmoxError
 */
export async function stopGuest(guest: Guest, progress: Progress): Promise<void> {
  if (!(await stateOf(guest)).isRunning) return;
  progress(`stopping ${described(guest)}`);
  const form = { timeout: String(shutdownSeconds), forceStop: "1" };
  await power(guest, "shutdown", form, progress);
  if ((await stateOf(guest)).isRunning) await pullPlug(guest, progress);
  if (!(await stateOf(guest)).isRunning) return;
  throw new ProxmoxError("failed", `${described(guest)} runs, although it was stopped`);
}

/** Ends it at once. */
export async function pullPlug(guest: Guest, progress: Progress): Promise<void> {
  await power(guest, "stop", {}, progress);
}

/** Starts it, if it does not run. */
export async function startGuest(guest: Guest, progress: Progress): Promise<void> {
  if ((await stateOf(guest)).isRunning) return;
  progress(`starting ${described(guest)}`);
  await power(guest, "start", {}, progress);
}

async function power(
  guest: Guest,
  verb: "shutdown" | "start" | "stop",
  form: Readonly<Record<string, string>>,
  progress: Progress,
): Promise<void> {
  await carryOut(
    guest.access,
    { method: "POST", path: `${pathOf(guest)}/status/${verb}`, form },
    { what: `${verb} of ${described(guest)}`, limitMs: powerLimitMs, progress },
  );
}
