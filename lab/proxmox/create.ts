import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type Caller, need } from "./access.ts";
import { ApiError } from "./apiError.ts";
import { type Datacenter, forgetVm, withDiscs } from "./datacenter.ts";
import { onVm } from "./parameters.ts";
import { newVm } from "./vm.ts";
import { changeConfig } from "./vmConfigEndpoints.ts";

const input = onVm.extend({ pool: z.string().optional() }).catchall(z.string());
type Input = z.output<typeof input>;

/** Making a VM without a template, its disk empty or from an image. */
export function createEndpoints(datacenter: Datacenter): void {
  datacenter.api.on("POST", "/nodes/:node/qemu", {
    input,
    needs: ({ vmid, pool }) => [
      need("VM.Allocate", `/vms/${vmid}`, ...(pool === undefined ? [] : [`/pool/${pool}`])),
    ],
    answer: (asked, caller) => create(datacenter, asked, caller),
  });
}

function create(datacenter: Datacenter, asked: Input, caller: Caller): string {
  const { vms, pools, tasks, options, hypervisor } = datacenter;
  const { node, vmid: id, pool, ...changes } = asked;
  if (vms.has(id) || options.guests?.some((guest) => guest.id === id)) {
    throw new ApiError(
      500,
      `unable to create VM ${id} - VM ${id} already exists on node '${node}'`,
    );
  }
  if (pool !== undefined && !pools.has(pool)) {
    throw new ApiError(500, `pool '${pool}' does not exist`);
  }
  const config = { smbios1: `uuid=${randomUUID()}`, vmgenid: randomUUID() };
  const vm = newVm({ id, node, config });
  vms.set(id, vm);
  return tasks.begin("qmcreate", { node, id, user: caller.user }, async (pass) => {
    try {
      await pass();
      changeConfig(datacenter, vm, { changes, keys: [] }, caller);
      await hypervisor.create(withDiscs(datacenter, vm));
      pools.get(pool ?? "")?.add(id);
    } catch (error) {
      forgetVm(datacenter, vm);
      throw error;
    }
  });
}
