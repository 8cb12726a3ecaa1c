import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import type { ProxmoxFacts, StorageFacts } from "./facts.ts";
import { guestOf } from "./memory.ts";
import { virtualMachinesOf, type VirtualMachinePlan } from "./virtualMachinesOf.ts";

/** What a storage lacks for the machines that are created, and what a template or an image lacks to be one of them. */
export function storageFaults(plan: ClusterPlan, facts: ProxmoxFacts): string[] {
  const fresh = virtualMachinesOf(plan).filter(
    (machine) => guestOf(machine, facts.guests) === undefined,
  );
  const seeds = plan.proxmox?.seedDatastore ?? "";
  return [
    ...new Set(
      fresh.flatMap(({ vm }) => [
        ...unfit(vm.node, vm.disk.datastore, "images", facts),
        ...unfit(vm.node, seeds, "iso", facts),
      ]),
    ),
    ...full(fresh, facts),
    ...fresh.flatMap((machine) => sourceFaults(machine, facts)),
  ];
}

function storageOn(node: string, name: string, facts: ProxmoxFacts): StorageFacts | undefined {
  return facts.storages.find((one) => one.node === node && one.name === name);
}

function unfit(node: string, name: string, content: string, facts: ProxmoxFacts): string[] {
  const key = content === "iso" ? "proxmox.seedDatastore" : "datastore";
  const found = storageOn(node, name, facts);
  if (found === undefined) {
    if (!facts.nodes.some((one) => one.name === node)) return [];
    const fit = facts.storages.filter((one) => one.node === node && one.content.includes(content));
    const names = fit.map((one) => one.name).join(", ") || "none so far";
    return [
      `${node}: it has no storage ${name}; give one with content ${content} by ${key} (${names})`,
    ];
  }
  if (!found.isActive) return [`${node}: the storage ${name} is not active; see \`pvesm status\``];
  if (found.content.includes(content)) return [];
  return [
    `${node}: the storage ${name} may not hold ${content}; allow it by \`pvesm set ${name} --content ${[...found.content, content].sort().join(",")}\`, or give another by ${key}`,
  ];
}

/** A shared storage is one, on however many nodes. A disk that may fill up must have room to. */
function full(fresh: readonly VirtualMachinePlan[], facts: ProxmoxFacts): string[] {
  const wanted = new Map<string, { storage: StorageFacts; sizeGiB: number; names: string[] }>();
  for (const { name, vm } of fresh) {
    const storage = storageOn(vm.node, vm.disk.datastore, facts);
    if (storage === undefined) continue;
    const key = storage.isShared ? storage.name : `${storage.node} ${storage.name}`;
    const { sizeGiB, names } = wanted.get(key) ?? { sizeGiB: 0, names: [] };
    wanted.set(key, { storage, sizeGiB: sizeGiB + vm.disk.sizeGiB, names: [...names, name] });
  }
  return [...wanted.values()]
    .filter(({ storage, sizeGiB }) => sizeGiB > storage.freeGiB)
    .map(
      ({ storage, sizeGiB, names }) =>
        `${storage.node}: the storage ${storage.name} has ${storage.freeGiB} GiB left, and ${names.join(" and ")} ${names.length === 1 ? "takes" : "take"} ${sizeGiB}; etcd stops on a full disk; free some, or lower diskGiB`,
    );
}

function sourceFaults(machine: VirtualMachinePlan, facts: ProxmoxFacts): string[] {
  const { name, vm } = machine;
  if (vm.source.kind === "template") return templateFaults(machine, vm.source, facts);
  if (facts.images.includes(`${vm.node} ${vm.source.volume}`)) return [];
  const [storage = "", path = ""] = vm.source.volume.split(":");
  return [
    `${name}: ${vm.node} has no image ${vm.source.volume}; upload ${path.replace("import/", "")} to ${storage}, which must have content import`,
  ];
}

function templateFaults(
  { name, vm }: VirtualMachinePlan,
  source: { readonly vmId: number; readonly node: string },
  { guests, templates }: ProxmoxFacts,
): string[] {
  const guest = guests.find(({ vmId }) => vmId === source.vmId);
  const said = `${name}: the template ${source.vmId}`;
  if (guest === undefined) {
    const others = guests.filter(({ isTemplate }) => isTemplate).map(({ vmId }) => vmId);
    return [`${said} is not there; make it, or give one of ${others.join(", ") || "none so far"}`];
  }
  if (!guest.isTemplate) {
    return [
      `${said} is no template but the guest ${guest.name}; \`qm template ${source.vmId}\` makes it one`,
    ];
  }
  if (guest.node !== source.node) {
    return [`${said} is on ${guest.node}, not on ${source.node}; say templateNode: ${guest.node}`];
  }
  const template = templates.find(({ vmId }) => vmId === source.vmId);
  if (template === undefined) return [];
  const size = template.disks[vm.disk.interface];
  if (size === undefined) {
    const others = Object.keys(template.disks).join(", ") || "none";
    return [
      `${said} has no disk ${vm.disk.interface} (it has ${others}); say which by machines.${name}.proxmox.disk`,
    ];
  }
  const drives = template.cloudInitDrives.filter((drive) => drive !== "ide2");
  return [
    ...(size <= vm.disk.sizeGiB
      ? []
      : [
          `${said} has a disk of ${size} GiB, and no disk shrinks; give machines.${name}.proxmox.diskGiB ${Math.ceil(size)} or more`,
        ]),
    ...drives.map(
      (drive) =>
        `${said} has a drive for cloud-init at ${drive}, which could be read instead of Triad's; remove it by \`qm set ${source.vmId} --delete ${drive}\``,
    ),
  ];
}
