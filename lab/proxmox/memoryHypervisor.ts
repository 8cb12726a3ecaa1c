import type { GuestInterface, Hypervisor, Machine } from "./hypervisor.ts";
import type { Seed } from "./cloudInit.ts";
import { parse } from "yaml";
import { z } from "zod";

/** A VM that is nothing but this note. */
interface Note {
  machine: Machine;
  running: boolean;
  boots: number;
  seed: Seed | undefined;
  readonly disks: Set<string>;
}

/** VMs that live in memory, for tests. */
export interface MemoryHypervisor extends Hypervisor {
  /** By the VM's id. */
  readonly notes: ReadonlyMap<number, Note>;
  /** What the guest agent of every VM can read, by path. */
  readonly files: Map<string, string>;
}

const networkSchema = z.object({
  config: z.array(
    z.object({
      name: z.string().optional(),
      mac_address: z.string().optional(),
      subnets: z
        .array(z.object({ address: z.string().optional(), netmask: z.string().optional() }))
        .nullish(),
    }),
  ),
});

/** Makes one. Its VMs boot at once, obey a shutdown, and have the addresses that their seed gives them. */
export function memoryHypervisor(): MemoryHypervisor {
  const notes = new Map<number, Note>();
  const noteOf = (machine: Machine): Note => {
    const note = notes.get(machine.id);
    if (note === undefined) throw new Error(`VM ${machine.id} was never created`);
    note.machine = machine;
    return note;
  };
  const stop = async (machine: Machine): Promise<void> => {
    noteOf(machine).running = false;
  };
  return {
    notes,
    files: new Map(),
    async create(machine) {
      if (notes.has(machine.id)) throw new Error(`VM ${machine.id} was created before`);
      const disks = new Set<string>();
      notes.set(machine.id, { machine, running: false, boots: 0, seed: undefined, disks });
    },
    async start(machine, seed) {
      const note = noteOf(machine);
      note.running = true;
      note.boots += 1;
      note.seed = seed;
    },
    stop,
    async shutdown(machine) {
      await stop(machine);
      return true;
    },
    async destroy(machine) {
      noteOf(machine);
      notes.delete(machine.id);
    },
    isRunning: async ({ id }) => notes.get(id)?.running ?? false,
    addresses: async (machine) => interfacesOf(noteOf(machine).seed),
    async readFile(machine, path) {
      noteOf(machine);
      return this.files.get(path);
    },
    async saveDisk(machine, snapshot) {
      noteOf(machine).disks.add(snapshot);
    },
    async restoreDisk(machine, snapshot) {
      if (!noteOf(machine).disks.has(snapshot)) throw new Error(`no disk was kept as ${snapshot}`);
    },
    async forgetDisk(machine, snapshot) {
      noteOf(machine).disks.delete(snapshot);
    },
  };
}

function interfacesOf(seed: Seed | undefined): readonly GuestInterface[] {
  const loopback = { name: "lo", mac: "00:00:00:00:00:00", addresses: ["127.0.0.1/8", "::1/128"] };
  if (seed === undefined) return [loopback];
  const { config } = networkSchema.parse(parse(seed.networkConfig));
  const own = config.flatMap(({ name, mac_address, subnets }) =>
    name === undefined || mac_address === undefined
      ? []
      : [{ name, mac: mac_address, addresses: (subnets ?? []).flatMap(addressOf) }],
  );
  return [loopback, ...own];
}

function addressOf(subnet: { address?: string | undefined; netmask?: string | undefined }) {
  const { address, netmask } = subnet;
  if (address === undefined) return [];
  if (netmask === undefined) return [address];
  const bits = netmask.split(".").map((part) => Number(part).toString(2));
  return [`${address}/${bits.join("").replaceAll("0", "").length}`];
}
