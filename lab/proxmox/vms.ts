import { z } from "zod";
import { type Caller, need } from "./access.ts";
import { ApiError, badParameter } from "./apiError.ts";
import { type Datacenter, findVm, forgetVm, isRunning } from "./datacenter.ts";
import { flag, onNode, onVm, vmid } from "./parameters.ts";
import { type Vm, checkLock, cpusOf, diskBytesOf, hasAgent, machineOf, memoryOf } from "./vm.ts";

/** The VMs of a node, their state, and their end. */
export function vmEndpoints(datacenter: Datacenter): void {
  const { api, vms } = datacenter;
  api.on("GET", "/cluster/nextid", {
    input: z.strictObject({ vmid: vmid.optional() }),
    answer: (input) => String(nextId(datacenter, input.vmid)),
  });
  api.on("GET", "/nodes/:node/qemu", {
    input: onNode.extend({ full: flag.optional() }),
    answer: async ({ node }, caller) => {
      const own = [...vms.values()].filter((vm) => vm.node === node && maySee(caller, vm));
      return Promise.all(own.map((vm) => statusOf(datacenter, vm)));
    },
  });
  api.on("GET", "/nodes/:node/qemu/:vmid/status/current", {
    input: onVm,
    needs: ({ vmid: id }) => [need("VM.Audit", `/vms/${id}`)],
    answer: ({ node, vmid: id }) => statusOf(datacenter, findVm(datacenter, node, id)),
  });
  api.on("DELETE", "/nodes/:node/qemu/:vmid", {
    input: onVm.extend({
      purge: flag.optional(),
      "destroy-unreferenced-disks": flag.optional(),
      skiplock: flag.optional(),
    }),
    needs: ({ vmid: id }) => [need("VM.Allocate", `/vms/${id}`)],
    answer: async ({ node, vmid: id }, caller) =>
      destroy(datacenter, findVm(datacenter, node, id), caller),
  });
}

/** May he see it in lists? */
export function maySee(caller: Caller, vm: Pick<Vm, "id">): boolean {
  return caller.allows(`/vms/${vm.id}`, "VM.Audit");
}

/** A VM's state as lists and `status/current` show it. */
export async function statusOf(
  datacenter: Datacenter,
  vm: Vm,
): Promise<Readonly<Record<string, unknown>>> {
  const running = (await isRunning(datacenter, vm)) ? vm.running : undefined;
  const status = running === undefined ? "stopped" : "running";
  // What the guest has, which is not what the configuration says until it is started again.
  const config = running?.config ?? vm.config;
  const { tags, name } = vm.config;
  return {
    ...{ vmid: vm.id, status, qmpstatus: status, name: name ?? `VM ${vm.id}` },
    cpus: cpusOf(config),
    maxmem: memoryOf(config),
    maxdisk: diskBytesOf(vm.config),
    ...{ cpu: 0, disk: 0, netin: 0, netout: 0, diskread: 0, diskwrite: 0 },
    mem: running === undefined ? 0 : memoryOf(config),
    uptime: running === undefined ? 0 : Math.floor((Date.now() - running.since) / 1000),
    ...(running === undefined ? {} : { pid: running.pid }),
    ...(tags === undefined ? {} : { tags }),
    ...(vm.config["template"] === 1 ? { template: 1 } : {}),
    ...(vm.lock === undefined ? {} : { lock: vm.lock }),
    ...(hasAgent(config) ? { agent: 1 } : {}),
    ha: { managed: 0 },
  };
}

/**
 * Ids are those of VMs and containers of the whole cluster.
 * @throws ApiError 400 where the one that was asked for is taken.
 */
function nextId({ vms, options }: Datacenter, asked: number | undefined): number {
  const taken = new Set([...vms.keys(), ...(options.guests ?? []).map(({ id }) => id)]);
  if (asked !== undefined) {
    if (taken.has(asked)) throw badParameter("vmid", `VM ${asked} already exists`);
    return asked;
  }
  let id = 100;
  while (taken.has(id)) id += 1;
  return id;
}

async function destroy(datacenter: Datacenter, vm: Vm, { user }: Caller): Promise<string> {
  checkLock(vm);
  if (vm.config["protection"] === 1) {
    throw new ApiError(500, `can't remove VM ${vm.id} - protection mode enabled`);
  }
  if (await isRunning(datacenter, vm)) {
    throw new ApiError(500, `VM ${vm.id} is running - destroy failed`);
  }
  return datacenter.tasks.begin("qmdestroy", { node: vm.node, id: vm.id, user }, async (pass) => {
    await pass();
    if (!vm.isGuest && vm.config["template"] !== 1) {
      await datacenter.hypervisor.destroy(machineOf(vm));
    }
    forgetVm(datacenter, vm);
  });
}
