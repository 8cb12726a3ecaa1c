import * as proxmox from "@muhlba91/pulumi-proxmoxve";
import * as pulumi from "@pulumi/pulumi";
import type { ProxmoxConfig, VmConfig } from "../config/proxmoxConfig.ts";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import { type FirstBoot, seedOf } from "../seed/cloudInit.ts";
import { hostKeyOf } from "../seed/hostKey.ts";
import { writeSeed } from "../seed/writeSeed.ts";
import { after } from "./after.ts";
import { machineScript } from "./command.ts";

/** A machine that is to be created. */
export type CreatedMachine = MachinePlan & { readonly vm: VmConfig };

export interface VirtualMachineArgs {
  readonly machine: CreatedMachine;
  readonly plan: ClusterPlan & { readonly proxmox: ProxmoxConfig };
  readonly provider: proxmox.Provider;
  /** The stack's secret of which host keys are made. */
  readonly hostKeySeed: pulumi.Input<string>;
  /** OpenSSH public keys that are let in. */
  readonly authorizedKeys: readonly string[];
  /** Clones of the same template: Proxmox locks it, so they are made one after the other. */
  readonly comesAfter: readonly pulumi.Resource[];
}

/** What would make the provider replace a machine, or is only of interest when it is made. */
const onlyAtFirst = ["cdrom", "clone", "nodeName", "smbios", "template", "vmId"];
/** What it finds otherwise than it was given, at every run. @see https://github.com/muhlba91/pulumi-proxmoxve/issues/664 */
const neverSettled = ["disks[0].speed"];
/** The first dials meet a machine that boots; with the provider's growing pauses that is some minutes. */
const dialsWhileBooting = 60;

/**
 * A virtual machine on Proxmox VE, from a template or an image, that has done what cloud-init was told. Its host key is
 * made before it is, so that nobody else can stand in for it. No update replaces or restarts it. Deleting it stops and
 * destroys it, with its disk, unless it is a server still, or the stack is to be forgotten.
 *
 * `VmLegacy`, since no other class of the provider sets an address or imports a disk.
 */
export class VirtualMachine extends pulumi.ComponentResource {
  /** The machine at Proxmox itself. */
  readonly resource: proxmox.VmLegacy;
  /** Another one for each life: a machine that was destroyed and made anew is a stranger with an old name. */
  readonly born: pulumi.Output<string>;
  /** Done when the machine can be logged in to and is set up. */
  readonly booted: pulumi.Resource;

  constructor(name: string, args: VirtualMachineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("triad:index:VirtualMachine", name, {}, opts);
    const { machine, plan, provider } = args;
    const retainOnDelete = plan.onDestroy === "forget";
    const seed = new proxmox.FileLegacy(`${name}-seed`, seedArgs(args), {
      parent: this,
      provider,
      retainOnDelete,
      // Read once, at the first boot. Another file would take the old one from the machine's drive, without which it does not start.
      ignoreChanges: ["datastoreId", "nodeName", "sourceFile"],
    });
    this.resource = new proxmox.VmLegacy(`${name}-vm`, vmArgs(args, seed.id), {
      parent: this,
      provider,
      retainOnDelete,
      ignoreChanges: [...onlyAtFirst, ...neverSettled],
    });
    // Proxmox deals out a new one for each clone. The UUIDs would do too, but of a clone the provider tells none.
    this.born = this.resource.networkDevices.apply((devices) => devices[0]?.macAddress ?? "");
    this.booted = machineScript(
      `${name}-booted`,
      {
        machine,
        plan,
        script: "vm.sh",
        variables: {},
        born: this.born,
        // A server that has not left keeps its disk.
        removes: machine.role === "server",
        dialErrorLimit: dialsWhileBooting,
      },
      { parent: this },
    );
    this.registerOutputs({ born: this.born });
  }
}

function seedArgs({
  machine,
  plan,
  hostKeySeed,
  authorizedKeys,
}: VirtualMachineArgs): proxmox.FileLegacyArgs {
  const { name, vm } = machine;
  const path = pulumi.output(hostKeySeed).apply((seed) => {
    const boot: FirstBoot = {
      nodeName: machine.nodeName,
      address: machine.address,
      network: plan.proxmox.network,
      vmId: vm.vmId,
      user: machine.ssh.user,
      authorizedKeys,
      packages: plan.proxmox.packages,
      hostKey: hostKeyOf(seed, { cluster: plan.name, machine: name }),
    };
    return writeSeed(`.triad/seeds/${plan.name}/${name}.iso`, seedOf(boot));
  });
  return {
    contentType: "iso",
    datastoreId: plan.proxmox.seedDatastore,
    nodeName: vm.node,
    // Where the file lies is no secret, what is in it is not in the state.
    sourceFile: { path: pulumi.unsecret(path), fileName: `triad-${vm.vmId}-${name}.iso` },
  };
}

function vmArgs(
  { machine, comesAfter }: VirtualMachineArgs,
  seedId: pulumi.Input<string>,
): proxmox.VmLegacyArgs {
  const { name, vm } = machine;
  const { cores, cpuType, disk, memoryMiB, pool, source, startOrder } = vm;
  return {
    name,
    nodeName: vm.node,
    vmId: vm.vmId,
    tags: [...vm.tags],
    ...(pool === undefined ? {} : { poolId: pool }),
    ...(source.kind === "template"
      ? { clone: after(comesAfter, cloneOf(source, vm)) }
      : // A clone has the template's.
        { bootOrders: [disk.interface], scsiHardware: "virtio-scsi-single" }),
    // Left out, the provider would write another one over the template's.
    operatingSystem: { type: "l26" },
    // Cloud images write to it, and some do not boot without.
    serialDevices: [{ device: "socket" }],
    cpu: { cores, sockets: 1, type: cpuType },
    // Without ballooning: what the host takes back from a server would be missing to etcd and to pods that have it promised.
    memory: { dedicated: memoryMiB, floating: 0 },
    disks: [
      {
        interface: disk.interface,
        datastoreId: disk.datastore,
        size: disk.sizeGiB,
        discard: "on",
        ...(source.kind === "image" ? { importFrom: source.volume } : {}),
      },
    ],
    networkDevices: [
      {
        bridge: vm.bridge,
        model: "virtio",
        ...(vm.vlan === undefined ? {} : { vlanId: vm.vlan }),
      },
    ],
    // Where Proxmox itself puts a template's drive for cloud-init, so that there are never two.
    cdrom: { fileId: seedId, interface: "ide2" },
    // The last thing that a new machine is given: by it the look before a run tells one that is whole.
    smbios: { serial: name },
    // The address is known: nobody has to wait for an agent that may not be there.
    agent: { enabled: true, waitForIp: { disabled: true } },
    onBoot: true,
    started: true,
    ...(startOrder === undefined ? {} : { startup: { order: startOrder } }),
    // Nobody but Triad restarts a server, one at a time and gated.
    rebootAfterUpdate: false,
    // It has left before; a shutdown by an agent that hangs would take half an hour.
    stopOnDestroy: true,
  };
}

function cloneOf(
  source: Extract<VmConfig["source"], { kind: "template" }>,
  { disk }: VmConfig,
): proxmox.types.input.VmLegacyClone {
  return {
    vmId: source.vmId,
    nodeName: source.node,
    datastoreId: disk.datastore,
    full: true,
    // Somebody else may be cloning the template, which locks it.
    retries: 5,
  };
}
