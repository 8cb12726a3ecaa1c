import { z } from "zod";
import { type Caller, need } from "./access.ts";
import { ApiError, badParameter, unknownParameter } from "./apiError.ts";
import { type Datacenter, findVm } from "./datacenter.ts";
import { isDrive, placeDrive, removeDrive, resizeDrive, volumeOf } from "./drives.ts";
import { placeNetwork } from "./networks.ts";
import { flag, onVm } from "./parameters.ts";
import { type Vm, checkLock } from "./vm.ts";
import { type VmConfig, isConfigKey, isHot, plainValue, privilegeFor, shown } from "./vmConfig.ts";

/** Reading and changing a VM's configuration. */
export function vmConfigEndpoints(datacenter: Datacenter): void {
  const { api, tasks, storages } = datacenter;
  const at = "/nodes/:node/qemu/:vmid";
  api.on("GET", `${at}/config`, {
    input: onVm.extend({ current: flag.optional() }),
    needs: ({ vmid }) => [need("VM.Audit", `/vms/${vmid}`)],
    answer: ({ node, vmid, current }) => {
      const vm = findVm(datacenter, node, vmid);
      return shown(current === true ? effective(vm) : vm.config);
    },
  });
  api.on("GET", `${at}/pending`, {
    input: onVm,
    needs: ({ vmid }) => [need("VM.Audit", `/vms/${vmid}`)],
    answer: ({ node, vmid }) => pendingOf(findVm(datacenter, node, vmid)),
  });
  api.on("PUT", `${at}/config`, {
    input: onVm.extend({ delete: z.string().optional() }).catchall(z.string()),
    answer: ({ node, vmid, delete: removed, ...changes }, caller) => {
      const vm = findVm(datacenter, node, vmid);
      const keys = (removed ?? "").split(",").filter((key) => key !== "");
      changeConfig(datacenter, vm, { changes, keys }, caller);
    },
  });
  api.on("PUT", `${at}/cloudinit`, {
    input: onVm,
    needs: ({ vmid }) => [need("VM.Config.Cloudinit", `/vms/${vmid}`)],
    // The drive is made anew at every start, and nobody reads it before.
    answer: ({ node, vmid }) => void findVm(datacenter, node, vmid),
  });
  api.on("PUT", `${at}/resize`, {
    input: onVm.extend({ disk: z.string(), size: z.string() }),
    needs: ({ vmid }) => [need("VM.Config.Disk", `/vms/${vmid}`)],
    answer: ({ node, vmid, disk, size }, { user }) => {
      const vm = findVm(datacenter, node, vmid);
      checkLock(vm);
      return tasks.begin("resize", { node, id: vmid, user }, async (pass) => {
        await pass();
        resizeDrive(storages, vm, disk, size);
      });
    },
  });
}

/** Keys of the provider's that Proxmox takes beside those of the configuration. */
const besideConfig = ["skiplock", "background_delay", "digest", "force"];

/**
 * Changes keys and removes others. All are looked at before the first is changed.
 * @throws ApiError for an unknown key, a bad value, a missing privilege, a lock.
 */
export function changeConfig(
  { storages }: Pick<Datacenter, "storages">,
  vm: Vm,
  { changes, keys }: { changes: Readonly<Record<string, string>>; keys: readonly string[] },
  caller: Caller,
): void {
  for (const key of [...Object.keys(changes), ...keys]) {
    if (besideConfig.includes(key)) continue;
    if (!isConfigKey(key)) throw badParameter(key, unknownParameter);
    const privilege = privilegeFor(key, changes[key] ?? String(vm.config[key] ?? ""));
    if (privilege === undefined && caller.user !== "root@pam") {
      throw new ApiError(500, `only root can set '${key}' config`);
    }
    if (privilege !== undefined && !caller.allows(`/vms/${vm.id}`, privilege)) {
      throw new ApiError(403, `Permission check failed (/vms/${vm.id}, ${privilege})`);
    }
  }
  checkLock(vm);
  for (const key of keys) {
    if (isDrive(key)) removeDrive(storages, vm, key);
    else Reflect.deleteProperty(vm.config, key);
  }
  for (const [key, value] of Object.entries(changes)) {
    if (besideConfig.includes(key)) continue;
    const before = vm.config[key];
    if (isDrive(key)) replaceDrive(storages, vm, key, value);
    else if (/^net\d+$/.test(key)) {
      vm.config[key] = placeNetwork(key, value, before === undefined ? undefined : String(before));
    } else vm.config[key] = plainValue(key, value);
  }
}

/** What was there before goes: as with the drive taken out, a disk stays as an unused one. */
function replaceDrive(storages: Datacenter["storages"], vm: Vm, key: string, value: string): void {
  const before = volumeOf(String(vm.config[key] ?? ""));
  const placed = placeDrive(storages, vm, key, value);
  if (before !== volumeOf(placed)) removeDrive(storages, vm, key);
  vm.config[key] = placed;
}

/** The configuration that the guest has now. */
function effective({ config, running }: Vm): VmConfig {
  if (running === undefined) return config;
  const entries = Object.keys({ ...config, ...running.config }).flatMap((key) => {
    const value = (isHot(key) ? config : running.config)[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}

function pendingOf(vm: Vm): readonly Readonly<Record<string, unknown>>[] {
  const now = effective(vm);
  return Object.keys({ ...now, ...vm.config }).map((key) => {
    const [value, next] = [shown(now)[key], shown(vm.config)[key]];
    return {
      key,
      ...(value === undefined ? {} : { value }),
      ...(value === next ? {} : next === undefined ? { delete: 1 } : { pending: next }),
    };
  });
}
