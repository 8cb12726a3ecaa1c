import type { Api } from "./api.ts";
import { noSuchVm } from "./apiError.ts";
import { drivesOf, isCloudInit } from "./drives.ts";
import type { Faults } from "./faults.ts";
import type { Hypervisor, Machine } from "./hypervisor.ts";
import type { ProxmoxOptions } from "./options.ts";
import type { Storages } from "./storage.ts";
import type { Tasks } from "./tasks.ts";
import { type Vm, machineOf } from "./vm.ts";
import type { VmConfig } from "./vmConfig.ts";

/** Everything that there is: what Proxmox shows as the root of its tree. */
export interface Datacenter {
  readonly options: ProxmoxOptions;
  readonly api: Api;
  readonly faults: Faults;
  readonly tasks: Tasks;
  readonly storages: Storages;
  readonly hypervisor: Hypervisor;
  readonly vms: Map<number, Vm>;
  /** Ids of VMs by pool. */
  readonly pools: Map<string, Set<number>>;
  /** Resolvers of nodes, by node. */
  readonly resolvers: Map<string, { search: string; servers: readonly string[] }>;
  /** Templates that are being cloned. */
  readonly clonesUnderWay: Set<number>;
}

/** @throws ApiError 500 where the node has no such VM. */
export function findVm({ vms }: Datacenter, node: string, id: number): Vm {
  const vm = vms.get(id);
  if (vm?.node !== node) throw noSuchVm(node, id);
  return vm;
}

/** Is it running? One that has ended by itself, or was started behind Proxmox' back, is noticed here. */
export async function isRunning({ hypervisor }: Datacenter, vm: Vm): Promise<boolean> {
  if (vm.isGuest || vm.config["template"] === 1) return vm.running !== undefined;
  if (!(await hypervisor.isRunning(machineOf(vm)))) vm.running = undefined;
  else vm.running ??= { config: { ...vm.config }, since: Date.now(), pid: 40_000 + vm.id };
  return vm.running !== undefined;
}

/** What the hypervisor is told of a VM, with the images in its CD drives. */
export function withDiscs({ storages }: Datacenter, vm: Vm): Machine {
  const discs = drivesOf(vm.config).flatMap(({ key, volume }) => {
    const isDisc = String(vm.config[key]).includes("media=cdrom") && !isCloudInit(volume);
    const data = isDisc ? storages.volume(vm.node, volume).volume.data : undefined;
    return data === undefined ? [] : [data];
  });
  return machineOf(vm, discs);
}

/** Has this configuration a cloud-init drive? */
export function hasCloudInit(config: VmConfig): boolean {
  return drivesOf(config).some(({ volume }) => isCloudInit(volume));
}

/** Removes a VM from wherever it is noted, and its volumes from every storage. */
export function forgetVm({ vms, pools, storages }: Datacenter, vm: Vm): void {
  vms.delete(vm.id);
  for (const members of pools.values()) members.delete(vm.id);
  for (const storage of storages.of(vm.node)) storage.forget(vm.id);
}
