import type { Seed } from "./cloudInit.ts";

/** What a hypervisor is told of a VM. */
export interface Machine {
  readonly id: number;
  readonly name: string;
  readonly node: string;
  /** The VM from whose disk its own was copied. */
  readonly template?: number | undefined;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly diskBytes: number;
  /** By number: `net0` is the first. */
  readonly networks: readonly { readonly mac: string; readonly bridge: string }[];
  /** Images in its CD drives, other than the seed. */
  readonly discs: readonly Uint8Array[];
}

/** An interface as the guest agent tells of it. */
export interface GuestInterface {
  readonly name: string;
  readonly mac: string;
  /** With the length of their prefix, such as `192.0.2.21/24`. */
  readonly addresses: readonly string[];
}

/** Makes VMs real. Each call ends when it is done; what it throws is the end of the task. */
export interface Hypervisor {
  create(machine: Machine): Promise<void>;
  /** Boots it. The seed is what cloud-init finds on its drive; without such a drive there is none. */
  start(machine: Machine, seed: Seed | undefined): Promise<void>;
  /** Asks it to shut down. Answers false when it has not within this time. */
  shutdown(machine: Machine, seconds: number): Promise<boolean>;
  /** Pulls the plug. */
  stop(machine: Machine): Promise<void>;
  destroy(machine: Machine): Promise<void>;
  /** One that was not created yet does not. */
  isRunning(machine: Machine): Promise<boolean>;
  /** What the guest agent knows, or undefined where none answers. */
  addresses(machine: Machine): Promise<readonly GuestInterface[] | undefined>;
  /** A file inside, read by the guest agent; undefined where there is no such file. */
  readFile(machine: Machine, path: string): Promise<string | undefined>;
  /** Keeps the disk as it is now under this name. */
  saveDisk(machine: Machine, snapshot: string): Promise<void>;
  restoreDisk(machine: Machine, snapshot: string): Promise<void>;
  forgetDisk(machine: Machine, snapshot: string): Promise<void>;
}
