import { readFileSync } from "node:fs";
import * as proxmox from "@muhlba91/pulumi-proxmoxve";
import * as pulumi from "@pulumi/pulumi";
import ssh2 from "ssh2";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import { expandHome } from "../ssh/connection.ts";
import { type CreatedMachine, VirtualMachine, type VirtualMachineArgs } from "./virtualMachine.ts";

/** With what machines are created. */
export interface VmSecrets {
  /** Of Proxmox's API, `user@realm!name=secret`. */
  readonly token: pulumi.Input<string>;
  /** Of which host keys are made. */
  readonly hostKeySeed: pulumi.Input<string>;
}

type Shared = Pick<VirtualMachineArgs, "plan" | "provider" | "hostKeySeed" | "authorizedKeys">;

/**
 * A plan's virtual machines by name, each in its server if it is one's; a plan without any registers nothing. A machine
 * that changes its role changes its place, and stays the same machine. Clones of one template are made one after the
 * other, in the order of the plan, though none depends on another.
 */
export function virtualMachines(
  plan: ClusterPlan,
  secrets: VmSecrets | undefined,
  servers: ReadonlyMap<string, pulumi.ComponentResource>,
  cluster: pulumi.ComponentResource,
): Map<string, VirtualMachine> {
  const made = new Map<string, VirtualMachine>();
  const created = plan.machines.flatMap((machine) => (isCreated(machine) ? machine : []));
  if (created.length === 0) return made;
  const shared = sharedArgs(plan, secrets, cluster);
  const clones = new Map<number, pulumi.Resource[]>();
  for (const machine of created) {
    const { name, vm } = machine;
    const earlier = vm.source.kind === "template" ? (clones.get(vm.source.vmId) ?? []) : [];
    const server = servers.get(name);
    const before = server ? cluster : pulumi.createUrn(name, "triad:index:Server", cluster);
    const one = new VirtualMachine(
      name,
      { ...shared, machine, comesAfter: earlier },
      { parent: server ?? cluster, aliases: [{ parent: before }] },
    );
    if (vm.source.kind === "template") clones.set(vm.source.vmId, [...earlier, one.resource]);
    made.set(name, one);
  }
  return made;
}

function isCreated(machine: MachinePlan): machine is CreatedMachine {
  return machine.vm !== undefined;
}

function sharedArgs(
  plan: ClusterPlan,
  secrets: VmSecrets | undefined,
  parent: pulumi.ComponentResource,
): Shared {
  const where = plan.proxmox;
  if (where === undefined || secrets === undefined) {
    throw new Error("machines are to be created, and nothing says where and by whom");
  }
  const { endpoint, insecure } = where;
  return {
    plan: { ...plan, proxmox: where },
    provider: new proxmox.Provider(
      `${plan.name}-proxmox`,
      { endpoint, insecure, apiToken: secrets.token },
      { parent },
    ),
    hostKeySeed: secrets.hostKeySeed,
    authorizedKeys: where.authorizedKeys ?? ownKey(plan),
  };
}

/** The key with which Triad itself logs in. The config gives keys where there is no such file. */
function ownKey({ ssh: { privateKeyFile = "" } }: ClusterPlan): string[] {
  const key = ssh2.utils.parseKey(readFileSync(expandHome(privateKeyFile)));
  if (key instanceof Error) throw new Error(`${privateKeyFile}: ${key.message}`);
  return [`${key.type} ${key.getPublicSSH().toString("base64")}`];
}
