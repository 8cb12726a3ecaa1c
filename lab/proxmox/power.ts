import { z } from "zod";
import { type Caller, need } from "./access.ts";
import { ApiError } from "./apiError.ts";
import { seedOf } from "./cloudInit.ts";
import { type Datacenter, findVm, hasCloudInit, isRunning, withDiscs } from "./datacenter.ts";
import { flag, onVm } from "./parameters.ts";
import { type Vm, checkLock, machineOf, memoryOf } from "./vm.ts";

const seconds = z.coerce.number().int().min(0).optional();
const input = onVm.extend({
  timeout: seconds,
  forceStop: flag.optional(),
  keepActive: flag.optional(),
  skiplock: flag.optional(),
  "overrule-shutdown": flag.optional(),
});
type Input = z.output<typeof input>;

/** How long a shutdown is waited for when nothing else is asked, in seconds. */
const defaultShutdown = 180;

/** Starting and stopping VMs. */
export function powerEndpoints(datacenter: Datacenter): void {
  const { api, tasks } = datacenter;
  const acts = {
    start: { task: "qmstart", act: (vm: Vm) => start(datacenter, vm) },
    stop: { task: "qmstop", act: (vm: Vm) => stop(datacenter, vm) },
    shutdown: {
      task: "qmshutdown",
      act: (vm: Vm, asked: Input) => shutdown(datacenter, vm, asked),
    },
    reboot: { task: "qmreboot", act: (vm: Vm, asked: Input) => reboot(datacenter, vm, asked) },
  } as const;
  for (const [verb, { task, act }] of Object.entries(acts)) {
    api.on("POST", `/nodes/:node/qemu/:vmid/status/${verb}`, {
      input,
      needs: ({ vmid }) => [need("VM.PowerMgmt", `/vms/${vmid}`)],
      answer: (asked, { user }: Caller) => {
        const { node, vmid } = asked;
        const vm = findVm(datacenter, node, vmid);
        checkLock(vm);
        return tasks.begin(task, { node, id: vmid, user }, async (pass) => {
          await pass();
          await act(vm, asked);
        });
      },
    });
  }
}

/**
 * Starts a VM with the seed of its configuration.
 * @throws ApiError when it runs, is a template, or the node has no memory left.
 */
export async function start(datacenter: Datacenter, vm: Vm): Promise<void> {
  const { hypervisor, storages, resolvers } = datacenter;
  if (vm.config["template"] === 1) {
    throw new ApiError(500, "you can't start a vm if it's a template");
  }
  if (await isRunning(datacenter, vm)) throw new ApiError(500, `VM ${vm.id} already running`);
  demandMemory(datacenter, vm);
  const resolver = resolvers.get(vm.node) ?? { search: "", servers: [] };
  const snippet = (volume: string): string =>
    new TextDecoder().decode(storages.volume(vm.node, volume).volume.data);
  const seed = hasCloudInit(vm.config) ? seedOf(vm.id, vm.config, resolver, snippet) : undefined;
  await hypervisor.start(withDiscs(datacenter, vm), seed);
  vm.running = { config: { ...vm.config }, since: Date.now(), pid: 40_000 + vm.id };
}

/** Pulls the plug; a VM that does not run is left alone. */
export async function stop(datacenter: Datacenter, vm: Vm): Promise<void> {
  if (!(await isRunning(datacenter, vm))) return;
  if (!vm.isGuest) await datacenter.hypervisor.stop(machineOf(vm));
  vm.running = undefined;
}

/** Memory that the running VMs of a node have, in bytes. */
export function committedOf({ vms }: Datacenter, node: string): number {
  return [...vms.values()]
    .filter((vm) => vm.node === node)
    .reduce((sum, { running }) => sum + (running === undefined ? 0 : memoryOf(running.config)), 0);
}

async function shutdown(datacenter: Datacenter, vm: Vm, asked: Input): Promise<void> {
  if (!(await isRunning(datacenter, vm))) return;
  const { timeout = defaultShutdown, forceStop = false } = asked;
  const ended = await datacenter.hypervisor.shutdown(machineOf(vm), timeout);
  if (!ended && !forceStop) throw new ApiError(500, "VM quit/powerdown failed - got timeout");
  if (!ended) await datacenter.hypervisor.stop(machineOf(vm));
  vm.running = undefined;
}

async function reboot(datacenter: Datacenter, vm: Vm, asked: Input): Promise<void> {
  if (!(await isRunning(datacenter, vm))) throw new ApiError(500, `VM ${vm.id} not running`);
  await shutdown(datacenter, vm, asked);
  await start(datacenter, vm);
}

function demandMemory(datacenter: Datacenter, vm: Vm): void {
  const node = datacenter.options.nodes.find(({ name }) => name === vm.node);
  const limit = (node?.memoryBytes ?? 0) - (node?.reservedBytes ?? 0);
  if (committedOf(datacenter, vm.node) + memoryOf(vm.config) <= limit) return;
  throw new ApiError(500, "start failed: QEMU exited with code 1: Cannot allocate memory");
}
