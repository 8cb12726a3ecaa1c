import { ApiError } from "./apiError.ts";
import { drivesOf } from "./drives.ts";
import type { Machine } from "./hypervisor.ts";
import { bridgeOf, macOf } from "./networks.ts";
import { parseSize } from "./size.ts";
import { parseProperties } from "./propertyString.ts";
import type { VmConfig } from "./vmConfig.ts";

/** A VM as Proxmox keeps it. */
export interface Vm {
  readonly id: number;
  readonly node: string;
  config: VmConfig;
  /** Why it may not be touched now, such as `clone`. */
  lock: string | undefined;
  /** Since its start: its configuration then, which is what the guest has until the next start. */
  running: { readonly config: VmConfig; readonly since: number; readonly pid: number } | undefined;
  readonly snapshots: Map<string, Snapshot>;
  /** The template that it was cloned from. */
  readonly template: number | undefined;
  /** It only takes its share; no hypervisor knows of it. */
  readonly isGuest: boolean;
}

export interface Snapshot {
  readonly config: VmConfig;
  readonly description: string;
  /** In seconds since 1970. */
  readonly time: number;
  readonly parent: string | undefined;
}

const mebibyte = 1024 ** 2;

/** A VM that is new. */
export function newVm(
  vm: Pick<Vm, "id" | "node" | "config"> & Partial<Pick<Vm, "lock" | "template" | "isGuest">>,
): Vm {
  const { lock, template, isGuest = false, ...rest } = vm;
  return { ...rest, lock, template, isGuest, running: undefined, snapshots: new Map() };
}

/** Bytes of memory in a configuration. */
export function memoryOf(config: VmConfig): number {
  const { first, named } = parseProperties(String(config["memory"] ?? 512));
  return Number(named.get("current") ?? first) * mebibyte;
}

/** Virtual CPUs in a configuration. */
export function cpusOf(config: VmConfig): number {
  const vcpus = config["vcpus"] ?? Number(config["cores"] ?? 1) * Number(config["sockets"] ?? 1);
  return Number(vcpus);
}

/** Bytes of the first disk that it boots from; 0 without one. */
export function diskBytesOf(config: VmConfig): number {
  const disks = drivesOf(config).filter(({ key }) => !key.startsWith("unused"));
  const sizes = disks.map(({ key }) => parseProperties(String(config[key])).named);
  const disk = sizes.find((one) => one.get("media") !== "cdrom");
  return parseSize(disk?.get("size") ?? "0") ?? 0;
}

/** Is the guest agent's channel there? */
export function hasAgent(config: VmConfig): boolean {
  const { first, named } = parseProperties(String(config["agent"] ?? "0"));
  return (named.get("enabled") ?? first) === "1";
}

/** What a hypervisor is told of it. */
export function machineOf(vm: Vm, discs: readonly Uint8Array[] = []): Machine {
  const { config } = vm;
  const devices = Object.keys(config).filter((key) => /^net\d+$/.test(key));
  return {
    id: vm.id,
    name: String(config["name"] ?? `VM${vm.id}`),
    node: vm.node,
    template: vm.template,
    memoryBytes: memoryOf(config),
    cpus: cpusOf(config),
    diskBytes: diskBytesOf(config),
    networks: devices.sort().map((key) => {
      const device = String(config[key]);
      return { mac: macOf(device) ?? "", bridge: bridgeOf(device) };
    }),
    discs,
  };
}

/**
 * @throws ApiError 500 while somebody works on it.
 */
export function checkLock(vm: Vm): void {
  if (vm.lock !== undefined) throw new ApiError(500, `VM is locked (${vm.lock})`);
}
