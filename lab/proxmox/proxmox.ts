import { Api } from "./api.ts";
import { cloneEndpoints } from "./clone.ts";
import { createEndpoints } from "./create.ts";
import type { Datacenter } from "./datacenter.ts";
import { type Fault, Faults } from "./faults.ts";
import { furnish } from "./furnish.ts";
import { guestAgentEndpoints } from "./guestAgent.ts";
import { memoryHypervisor } from "./memoryHypervisor.ts";
import { nodeEndpoints } from "./nodes.ts";
import type { ProxmoxOptions } from "./options.ts";
import { poolEndpoints } from "./pools.ts";
import { powerEndpoints } from "./power.ts";
import type { RecordedRequest } from "./record.ts";
import { snapshotEndpoints } from "./snapshots.ts";
import { Storages } from "./storage.ts";
import { storageEndpoints } from "./storageEndpoints.ts";
import { taskEndpoints } from "./taskEndpoints.ts";
import { Tasks } from "./tasks.ts";
import { vmConfigEndpoints } from "./vmConfigEndpoints.ts";
import { vmEndpoints } from "./vms.ts";

/** A double of Proxmox that is up. */
export interface Proxmox {
  /** Where its API is, such as `https://127.0.0.1:8006`. */
  readonly url: string;
  /** What clients have asked for so far. */
  readonly requests: readonly RecordedRequest[];
  /** What is on it, to look at. */
  readonly datacenter: Datacenter;
  /** Asks as an administrator does by hand: everything allowed, nothing recorded. */
  readonly byHand: Api["byHand"];
  /** Brings a fault. @returns what lifts it, where it doesn't pass by itself. */
  fault(fault: Fault): () => void;
  /** Waits for the tasks that run now, and ends it. VMs stay as they are. */
  close(): Promise<void>;
}

/** Starts one. */
export async function startProxmox(options: ProxmoxOptions): Promise<Proxmox> {
  const faults = new Faults();
  const api = new Api(options, faults);
  const datacenter: Datacenter = {
    options,
    api,
    faults,
    tasks: new Tasks(faults, options.taskMs ?? 20),
    storages: new Storages(options.nodes, faults),
    hypervisor: options.hypervisor ?? memoryHypervisor(),
    vms: new Map(),
    pools: new Map(),
    resolvers: new Map(
      options.nodes.map(({ name, dns }) => [name, dns ?? { search: "", servers: [] }]),
    ),
    clonesUnderWay: new Set(),
  };
  furnish(datacenter);
  for (const addEndpoints of [
    nodeEndpoints,
    storageEndpoints,
    poolEndpoints,
    taskEndpoints,
    vmEndpoints,
    vmConfigEndpoints,
    createEndpoints,
    cloneEndpoints,
    powerEndpoints,
    snapshotEndpoints,
    guestAgentEndpoints,
  ]) {
    addEndpoints(datacenter);
  }
  const url = await api.listen(options.address ?? "127.0.0.1", options.port ?? 0);
  return {
    url,
    datacenter,
    requests: api.requests,
    byHand: (method, path, form) => api.byHand(method, path, form),
    fault: (fault) => faults.add(fault),
    close: async () => {
      await datacenter.tasks.settle();
      await api.close();
    },
  };
}
