import assert from "node:assert/strict";
import { findGuest, type Guest, macsOf } from "../../../proxmox/guest.ts";
import { type Snapshot, snapshotsOf } from "../../../proxmox/snapshots.ts";
import { done } from "../../lab/proxmox/support/client.ts";
import { type Double, startDouble } from "../../lab/proxmox/support/double.ts";

/** A double of Proxmox with one machine, number 205, that runs. */
export interface OnProxmox {
  readonly double: Double;
  readonly guest: Guest;
  /** Of the machine's network device. */
  readonly mac: string;
  snapshots(): Promise<Snapshot[]>;
  /** An administrator takes a snapshot; Proxmox tells times in whole seconds, so one that is older is so by some. */
  byHand(name: string, description?: string, secondsAgo?: number): Promise<void>;
  isRunning(): boolean;
  close(): Promise<void>;
}

/**
 * Starts one; the variable SSL_CERT_FILE names its authority until it is closed.
 * @param token of the options' tokens, where they have some
 */
export async function startOnProxmox(
  options: Parameters<typeof startDouble>[0] = {},
  token?: string,
): Promise<OnProxmox> {
  const started = await startDouble({ taskMs: 1, ...options });
  const double = { ...started, token: token ?? started.token };
  process.env["SSL_CERT_FILE"] = double.authority;
  const clone = { newid: "205", name: "k8s-master-2", full: "1" };
  assert.equal(await done(double, "POST", "/nodes/pve1/qemu/9000/clone", clone), "OK");
  assert.equal(await done(double, "POST", "/nodes/pve1/qemu/205/status/start"), "OK");
  const guest = await findGuest(accessOf(double), 205);
  const [mac = ""] = await macsOf(guest);
  return {
    double,
    guest,
    mac,
    snapshots: async () => await snapshotsOf(guest),
    byHand: async (snapname, description = "by hand", secondsAgo = 0) => {
      const form = { snapname, description };
      assert.equal(await done(double, "POST", "/nodes/pve1/qemu/205/snapshot", form), "OK");
      const rows = double.datacenter.vms.get(205)?.snapshots;
      const row = rows?.get(snapname);
      assert.ok(row);
      rows?.set(snapname, { ...row, time: row.time - secondsAgo });
    },
    isRunning: () => double.datacenter.vms.get(205)?.running !== undefined,
    close: async () => {
      delete process.env["SSL_CERT_FILE"];
      await double.close();
    },
  };
}

/** The way to a double. */
export function accessOf({ url, token }: Pick<Double, "url" | "token">): Guest["access"] {
  return { endpoint: url, insecure: false, token };
}
