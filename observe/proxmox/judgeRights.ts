import { checkpointedServers } from "../../plan/checkpoints.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { hasRight, type Rights } from "../../proxmox/rights.ts";
import type { ProxmoxFacts } from "./facts.ts";
import { guestOf } from "./memory.ts";
import { virtualMachinesOf, type VirtualMachinePlan } from "./virtualMachinesOf.ts";

/** On a machine that is created, from the first to the last day. @see https://pve.proxmox.com/pve-docs/chapter-pveum.html */
const onMachine = [
  "VM.Allocate",
  "VM.Audit",
  ...["CDROM", "CPU", "Disk", "HWType", "Memory", "Network", "Options"].map(
    (what) => `VM.Config.${what}`,
  ),
  "VM.PowerMgmt",
];

/** On a machine that checkpoints are taken of. */
const onCheckpointed = ["VM.Audit", "VM.Snapshot"];

interface Need {
  readonly path: string;
  readonly rights: readonly string[];
}

/**
 * What the token may not see: then nobody knows how much memory is promised. It must see all guests, also those that will
 * be there tomorrow.
 */
export function blindness({ rights, nodes }: ProxmoxFacts, plan: ClusterPlan): string[] {
  const hidden = Object.entries(rights).filter(
    ([path, own]) => path.startsWith("/vms/") && own["VM.Audit"] === undefined,
  );
  const seesAll = (rights["/vms"] ?? {})["VM.Audit"] === true && hidden.length === 0;
  const used = new Set(virtualMachinesOf(plan).map(({ vm }) => vm.node));
  const dark = nodes.filter(
    (node) => used.has(node.name) && node.online && node.memoryMiB === undefined,
  );
  return [
    ...(seesAll
      ? []
      : [
          `proxmoxToken: it may not see every guest${hidden.length === 0 ? "" : ` (${hidden.map(([path]) => path).join(", ")})`}, so nobody knows how much memory is promised; give it VM.Audit on /vms, with those below`,
        ]),
    ...dark.map(
      ({ name }) =>
        `proxmoxToken: it may not see how much memory ${name} has; give it Sys.Audit on /nodes/${name}`,
    ),
  ];
}

/** What it may not do that this run, or a later one, will ask for. */
export function rightsFaults(
  plan: ClusterPlan,
  { guests, rights }: Pick<ProxmoxFacts, "guests" | "rights">,
): string[] {
  const needs = [
    ...virtualMachinesOf(plan).flatMap((machine) =>
      needsOf(machine, plan, guestOf(machine, guests) === undefined, rights),
    ),
    ...checkpointedServers(plan).map(({ machine: { vm }, vmId }) => ({
      path: placeOf(vmId, vm?.pool, onCheckpointed, rights),
      rights: onCheckpointed,
    })),
  ];
  const lacks = needs.flatMap(({ path, rights: wanted }) => {
    const missing = wanted.filter((right) => !hasRight(rights, path, right));
    return missing.length === 0 ? [] : [`${missing.join(", ")} on ${path}`];
  });
  if (lacks.length === 0) return [];
  return [
    `proxmoxToken: it lacks ${[...new Set(lacks)].join("; ")}; give it a role with these by \`pveum acl modify\`, a token with privilege separation itself and not its user alone`,
  ];
}

function needsOf(
  { vm }: VirtualMachinePlan,
  plan: ClusterPlan,
  isNew: boolean,
  rights: Rights,
): Need[] {
  const place = placeOf(vm.vmId, vm.pool, onMachine, rights);
  // Its seed goes with it, which takes more than to put it there.
  const seeds = {
    path: `/storage/${plan.proxmox?.seedDatastore ?? ""}`,
    rights: ["Datastore.Audit", "Datastore.Allocate", "Datastore.AllocateTemplate"],
  };
  const bridge = `/sdn/zones/localnetwork/${vm.bridge}`;
  const always = [{ path: place, rights: onMachine }, seeds];
  if (!isNew) return always;
  return [
    ...always,
    ...(vm.source.kind === "template"
      ? [{ path: `/vms/${vm.source.vmId}`, rights: ["VM.Clone"] }]
      : []),
    { path: `/storage/${vm.disk.datastore}`, rights: ["Datastore.AllocateSpace"] },
    // Asked for since Proxmox VE 8.
    ...("/sdn" in rights ? [{ path: bridge, rights: ["SDN.Use"] }] : []),
  ];
}

/** What a pool gives its members they have once they are in it. */
function placeOf(
  vmId: number,
  pool: string | undefined,
  wanted: readonly string[],
  rights: Rights,
): string {
  const path = pool === undefined ? undefined : `/pool/${pool}`;
  const isThePools = path !== undefined && wanted.every((right) => hasRight(rights, path, right));
  return isThePools ? path : `/vms/${vmId}`;
}
