import { z } from "zod";
import { need } from "./access.ts";
import { ApiError } from "./apiError.ts";
import type { Datacenter } from "./datacenter.ts";
import { flag } from "./parameters.ts";

const named = z.strictObject({ poolid: z.string() });

/** Pools and the VMs in them. */
export function poolEndpoints(datacenter: Datacenter): void {
  const { api, pools, vms } = datacenter;
  const membersOf = (pool: string): Set<number> => {
    const members = pools.get(pool);
    if (members === undefined) throw new ApiError(500, `pool '${pool}' does not exist`);
    return members;
  };
  api.on("GET", "/pools", {
    input: named.partial().extend({ type: z.string().optional() }),
    answer: ({ poolid }, caller) => {
      if (poolid === undefined) {
        const seen = [...pools.keys()].filter((pool) =>
          caller.allows(`/pool/${pool}`, "Pool.Audit"),
        );
        return seen.map((pool) => ({ poolid: pool }));
      }
      const members = [...membersOf(poolid)].flatMap((id) => {
        const vm = vms.get(id);
        const name = String(vm?.config["name"] ?? "");
        return vm === undefined
          ? []
          : [{ id: `qemu/${id}`, type: "qemu", vmid: id, node: vm.node, name }];
      });
      return [{ poolid, members }];
    },
  });
  api.on("POST", "/pools", {
    input: named.extend({ comment: z.string().optional() }),
    needs: ({ poolid }) => [need("Pool.Allocate", `/pool/${poolid}`)],
    answer: ({ poolid }) => {
      if (pools.has(poolid)) throw new ApiError(500, `pool '${poolid}' already exists`);
      pools.set(poolid, new Set());
    },
  });
  api.on("PUT", "/pools", {
    input: named.extend({
      vms: z.string().optional(),
      delete: flag.optional(),
      comment: z.string().optional(),
      "allow-move": flag.optional(),
    }),
    needs: ({ poolid }) => [need("Pool.Allocate", `/pool/${poolid}`)],
    answer: ({ poolid, vms: ids = "", delete: removes = false }) => {
      const members = membersOf(poolid);
      for (const id of ids.split(/[,;\s]+/).filter(Boolean)) {
        if (removes) members.delete(Number(id));
        else members.add(Number(id));
      }
    },
  });
  api.on("DELETE", "/pools", {
    input: named,
    needs: ({ poolid }) => [need("Pool.Allocate", `/pool/${poolid}`)],
    answer: ({ poolid }) => {
      if (membersOf(poolid).size > 0) throw new ApiError(500, `pool '${poolid}' is not empty`);
      pools.delete(poolid);
    },
  });
}
