import { z } from "zod";
import { need } from "./access.ts";
import { ApiError } from "./apiError.ts";
import { type Datacenter, findVm, isRunning } from "./datacenter.ts";
import type { GuestInterface, Machine } from "./hypervisor.ts";
import { onVm } from "./parameters.ts";
import { hasAgent, machineOf } from "./vm.ts";

/** What the guest agent inside a VM answers. */
export function guestAgentEndpoints(datacenter: Datacenter): void {
  const { api, hypervisor } = datacenter;
  const at = "/nodes/:node/qemu/:vmid/agent";
  api.on("GET", `${at}/network-get-interfaces`, {
    input: onVm,
    needs: ({ vmid }) => [need("VM.GuestAgent.Audit", `/vms/${vmid}`)],
    answer: async ({ node, vmid }) => {
      const { addresses } = await reach(datacenter, node, vmid);
      return { result: addresses.map(described) };
    },
  });
  api.on("POST", `${at}/ping`, {
    input: onVm,
    needs: ({ vmid }) => [need("VM.GuestAgent.Audit", `/vms/${vmid}`)],
    answer: async ({ node, vmid }) => {
      await reach(datacenter, node, vmid);
      return { result: {} };
    },
  });
  api.on("GET", `${at}/file-read`, {
    input: onVm.extend({ file: z.string() }),
    needs: ({ vmid }) => [need("VM.GuestAgent.FileRead", `/vms/${vmid}`)],
    answer: async ({ node, vmid, file }) => {
      const { machine } = await reach(datacenter, node, vmid);
      const content = await hypervisor.readFile(machine, file);
      if (content !== undefined) return { content };
      throw new ApiError(500, `Agent error: failed to open file '${file}' (mode: 'r')`);
    },
  });
}

/** @throws ApiError 500 as long as no agent can answer. */
async function reach(
  datacenter: Datacenter,
  node: string,
  id: number,
): Promise<{ machine: Machine; addresses: readonly GuestInterface[] }> {
  const vm = findVm(datacenter, node, id);
  if (!(await isRunning(datacenter, vm))) throw new ApiError(500, `VM ${id} is not running`);
  if (vm.isGuest || !hasAgent(vm.running?.config ?? {})) {
    throw new ApiError(500, "No QEMU guest agent configured");
  }
  const machine = machineOf(vm);
  const addresses = await datacenter.hypervisor.addresses(machine);
  if (addresses === undefined) throw new ApiError(500, "QEMU guest agent is not running");
  return { machine, addresses };
}

function described({ name, mac, addresses }: GuestInterface): Readonly<Record<string, unknown>> {
  return {
    name,
    "hardware-address": mac,
    "ip-addresses": addresses.map((address) => {
      const [ip = "", prefix] = address.split("/");
      const type = ip.includes(":") ? "ipv6" : "ipv4";
      return { "ip-address": ip, prefix: Number(prefix), "ip-address-type": type };
    }),
  };
}
