import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { type Caller, need } from "./access.ts";
import { ApiError, badParameter } from "./apiError.ts";
import { type Datacenter, findVm, forgetVm, withDiscs } from "./datacenter.ts";
import { drivesOf, isCloudInit, isOwn } from "./drives.ts";
import { withFreshMac } from "./networks.ts";
import { flag, onVm, vmid } from "./parameters.ts";
import { type Vm, checkLock, newVm } from "./vm.ts";
import { type VmConfig, plainValue } from "./vmConfig.ts";

const input = onVm.extend({
  newid: vmid,
  name: z.string().optional(),
  description: z.string().optional(),
  full: flag.optional(),
  pool: z.string().optional(),
  storage: z.string().optional(),
  format: z.string().optional(),
  target: z.string().optional(),
});
type Input = z.output<typeof input>;

/** How long a clone waits for another of the same template to end, in milliseconds. */
const lockWaitMs = 1000;

/** Cloning a VM. */
export function cloneEndpoints(datacenter: Datacenter): void {
  datacenter.api.on("POST", "/nodes/:node/qemu/:vmid/clone", {
    input,
    needs: ({ vmid: id, newid, pool, storage }) => [
      need("VM.Clone", `/vms/${id}`),
      need("VM.Allocate", `/vms/${newid}`, ...(pool === undefined ? [] : [`/pool/${pool}`])),
      ...(storage === undefined ? [] : [need("Datastore.AllocateSpace", `/storage/${storage}`)]),
    ],
    answer: (asked, caller) => clone(datacenter, asked, caller),
  });
}

async function clone(datacenter: Datacenter, asked: Input, { user }: Caller): Promise<string> {
  const { vms, pools, tasks, options } = datacenter;
  const source = findVm(datacenter, asked.node, asked.vmid);
  const { newid, pool } = asked;
  const node = asked.target ?? asked.node;
  if (vms.has(newid) || options.guests?.some(({ id }) => id === newid)) {
    throw new ApiError(500, `unable to create VM ${newid}: config file already exists`);
  }
  if (pool !== undefined && !pools.has(pool)) {
    throw new ApiError(500, `pool '${pool}' does not exist`);
  }
  checkLock(source);
  checkTarget(datacenter, source, node);
  await holdSource(datacenter, source.id);
  const config = configOf(source.config, asked);
  const vm = newVm({ id: newid, node, config, lock: "clone", template: source.id });
  vms.set(newid, vm);
  return tasks.begin("qmclone", { node: asked.node, id: source.id, user }, async (pass) => {
    try {
      await pass();
      copyDrives(datacenter, source, vm, asked.storage);
      await datacenter.hypervisor.create(withDiscs(datacenter, vm));
      pools.get(pool ?? "")?.add(newid);
      vm.lock = undefined;
    } catch (error) {
      forgetVm(datacenter, vm);
      throw new Error(`clone failed: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      datacenter.clonesUnderWay.delete(source.id);
    }
  });
}

/** To another node a clone can only go over storages that both have. */
function checkTarget({ storages }: Datacenter, source: Vm, node: string): void {
  if (node === source.node) return;
  for (const { volume } of drivesOf(source.config)) {
    const { storage } = storages.volume(source.node, volume);
    if (storages.of(node).includes(storage)) continue;
    throw badParameter("target", `can't clone VM to node '${node}' (VM uses local storage)`);
  }
}

/** A clone holds its source. Another waits a little, and is refused then. */
async function holdSource(datacenter: Datacenter, id: number): Promise<void> {
  const { clonesUnderWay, faults } = datacenter;
  const end = Date.now() + lockWaitMs;
  const held = faults.hitClone(id);
  while ((held || clonesUnderWay.has(id)) && Date.now() < end) await wait(10);
  if (held || clonesUnderWay.has(id)) {
    const file = `/var/lock/qemu-server/lock-${id}.conf`;
    throw new ApiError(500, `can't lock file '${file}' - got timeout`);
  }
  clonesUnderWay.add(id);
}

function configOf(source: VmConfig, { name, description, newid }: Input): VmConfig {
  const config: VmConfig = { ...source, smbios1: `uuid=${randomUUID()}`, vmgenid: randomUUID() };
  delete config["template"];
  for (const [key, value] of Object.entries(config)) {
    if (/^net\d+$/.test(key)) config[key] = withFreshMac(String(value));
  }
  config["name"] = plainValue("name", name ?? `Copy-of-VM-${source["name"] ?? newid}`);
  if (description !== undefined) config["description"] = description;
  return config;
}

/** Gives a clone disks of its own, on the storage that was asked for or the source's. */
function copyDrives(
  { storages }: Datacenter,
  source: Vm,
  vm: Vm,
  target: string | undefined,
): void {
  for (const { key, volume } of drivesOf(source.config)) {
    const { storage, volume: copied } = storages.volume(source.node, volume);
    if (!isOwn(source.id, volume) && !volume.includes(`base-${source.id}-`)) continue;
    const to = storages.get(vm.node, target ?? storage.options.name);
    const what = isCloudInit(volume) ? "cloudinit" : to.freeDisk(vm.id);
    const name = to.allocate(vm.id, what, copied.bytes);
    const drive = String(source.config[key]);
    vm.config[key] = drive.replace(volume, `${to.options.name}:${name}`);
  }
}
