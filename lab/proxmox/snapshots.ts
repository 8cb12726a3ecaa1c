import { z } from "zod";
import { need } from "./access.ts";
import { ApiError, badParameter } from "./apiError.ts";
import { type Datacenter, findVm, isRunning, withDiscs } from "./datacenter.ts";
import { drivesOf } from "./drives.ts";
import { flag, onVm } from "./parameters.ts";
import { start, stop } from "./power.ts";
import { type Snapshot, type Vm, checkLock, machineOf } from "./vm.ts";
import { digestOf } from "./vmConfig.ts";

const onSnapshot = onVm.extend({ snapname: z.string() });
const name = z.string().regex(/^[a-z][\w-]{1,39}$/i, "invalid configuration ID");

/** Snapshots of VMs, of their disks alone: memory is never kept. */
export function snapshotEndpoints(datacenter: Datacenter): void {
  const { api, tasks, hypervisor } = datacenter;
  const at = "/nodes/:node/qemu/:vmid/snapshot";
  api.on("GET", at, {
    input: onVm,
    needs: ({ vmid }) => [need("VM.Audit", `/vms/${vmid}`)],
    answer: async ({ node, vmid }) => {
      const vm = findVm(datacenter, node, vmid);
      return listOf(vm, await isRunning(datacenter, vm));
    },
  });
  api.on("POST", at, {
    input: onVm.extend({
      snapname: name,
      description: z.string().optional(),
      vmstate: flag.optional(),
    }),
    needs: ({ vmid }) => [need("VM.Snapshot", `/vms/${vmid}`)],
    answer: ({ node, vmid, snapname, description = "" }, { user }) => {
      const vm = findVm(datacenter, node, vmid);
      checkLock(vm);
      if (vm.snapshots.has(snapname)) {
        throw new ApiError(500, `snapshot name '${snapname}' already used`);
      }
      const parent = [...vm.snapshots.keys()].at(-1);
      return tasks.begin("qmsnapshot", { node, id: vmid, user }, (pass) =>
        locked(vm, "snapshot", async () => {
          await pass();
          await hypervisor.saveDisk(machineOf(vm), snapname);
          const time = Math.floor(Date.now() / 1000);
          vm.snapshots.set(snapname, { config: { ...vm.config }, description, time, parent });
        }),
      );
    },
  });
  api.on("PUT", `${at}/:snapname/config`, {
    input: onSnapshot.extend({ description: z.string().optional() }),
    needs: ({ vmid }) => [need("VM.Snapshot", `/vms/${vmid}`)],
    answer: ({ node, vmid, snapname, description = "" }) => {
      const vm = findVm(datacenter, node, vmid);
      vm.snapshots.set(snapname, { ...findSnapshot(vm, snapname), description });
    },
  });
  api.on("DELETE", `${at}/:snapname`, {
    input: onSnapshot.extend({ force: flag.optional() }),
    needs: ({ vmid }) => [need("VM.Snapshot", `/vms/${vmid}`)],
    answer: ({ node, vmid, snapname }, { user }) => {
      const vm = findVm(datacenter, node, vmid);
      checkLock(vm);
      findSnapshot(vm, snapname);
      return tasks.begin("qmdelsnapshot", { node, id: vmid, user }, (pass) =>
        locked(vm, "snapshot-delete", async () => {
          await pass();
          await hypervisor.forgetDisk(machineOf(vm), snapname);
          vm.snapshots.delete(snapname);
        }),
      );
    },
  });
  api.on("POST", `${at}/:snapname/rollback`, {
    input: onSnapshot.extend({ start: flag.optional() }),
    needs: ({ vmid }) => [need(["VM.Snapshot", "VM.Snapshot.Rollback"], `/vms/${vmid}`)],
    answer: ({ node, vmid, snapname, start: starts }, { user }) => {
      const vm = findVm(datacenter, node, vmid);
      checkLock(vm);
      const snapshot = findSnapshot(vm, snapname);
      return tasks.begin("qmrollback", { node, id: vmid, user }, async (pass) => {
        await locked(vm, "rollback", async () => {
          await pass();
          checkNewest(datacenter, vm, snapname);
          await stop(datacenter, vm);
          await hypervisor.restoreDisk(withDiscs(datacenter, vm), snapname);
          vm.config = { ...snapshot.config };
        });
        if (starts === true) await start(datacenter, vm);
      });
    },
  });
}

async function locked(vm: Vm, lock: string, work: () => Promise<void>): Promise<void> {
  vm.lock = lock;
  try {
    await work();
  } finally {
    vm.lock = undefined;
  }
}

function findSnapshot(vm: Vm, snapname: string): Snapshot {
  const snapshot = vm.snapshots.get(snapname);
  if (snapshot === undefined)
    throw badParameter("snapname", `snapshot '${snapname}' does not exist`);
  return snapshot;
}

/** ZFS goes back to its newest snapshot alone. */
function checkNewest({ storages }: Datacenter, vm: Vm, snapname: string): void {
  if ([...vm.snapshots.keys()].at(-1) === snapname) return;
  for (const { key, volume } of drivesOf(vm.config)) {
    if (String(vm.config[key]).includes("media=cdrom")) continue;
    if (storages.volume(vm.node, volume).storage.options.type !== "zfspool") continue;
    throw new Error(`can't rollback, '${snapname}' is not most recent snapshot on '${volume}'`);
  }
}

function listOf(vm: Vm, running: boolean): readonly Readonly<Record<string, unknown>>[] {
  const parent = [...vm.snapshots.keys()].at(-1);
  const all = [...vm.snapshots].map(([snapname, snapshot]) => ({
    name: snapname,
    description: snapshot.description,
    snaptime: snapshot.time,
    vmstate: 0,
    ...(snapshot.parent === undefined ? {} : { parent: snapshot.parent }),
  }));
  const current = {
    name: "current",
    description: "You are here!",
    digest: digestOf(vm.config),
    running: running ? 1 : 0,
    ...(parent === undefined ? {} : { parent }),
  };
  return [...all, current];
}
