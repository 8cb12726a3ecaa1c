import type { Fault } from "../configError.ts";
import { pathText } from "../pathText.ts";
import type { ConfigDraft } from "../salvage.ts";
import { vmDefaults } from "../vm.ts";
import { type MachineDraft, machinesOf } from "./rule.ts";

type VmDraft = NonNullable<MachineDraft["proxmox"]>;

/** The machines that are created: each whole with its defaults, large enough, and no two with one number. */
export function vms(draft: ConfigDraft): Fault[] {
  const created = machinesOf(draft).flatMap(([name, { proxmox }]) =>
    proxmox === undefined ? [] : [{ name, own: proxmox, vm: withDefaults(proxmox, draft) }],
  );
  return [
    ...defaultsFaults(draft),
    ...created.flatMap(({ name, own, vm }) => [
      ...incomplete(name, own, vm),
      ...small(name, own, vm, draft),
    ]),
    ...sharedNumbers(created),
  ];
}

interface Created {
  readonly name: string;
  readonly own: VmDraft;
  readonly vm: VmDraft;
}

/** A machine's template takes the place of the image for all, and the reverse. */
function withDefaults(own: VmDraft, { proxmox }: ConfigDraft): VmDraft {
  const all = proxmox?.defaults;
  const hasOwnSource = own.template !== undefined || own.image !== undefined;
  return {
    node: own.node ?? all?.node,
    template: hasOwnSource ? own.template : all?.template,
    image: hasOwnSource ? own.image : all?.image,
    memoryMiB: own.memoryMiB ?? all?.memoryMiB,
    diskGiB: own.diskGiB ?? all?.diskGiB,
  };
}

function defaultsFaults({ proxmox }: ConfigDraft): Fault[] {
  const { template, image } = proxmox?.defaults ?? {};
  return template !== undefined && image !== undefined ? [both("proxmox.defaults.image")] : [];
}

function both(path: string): Fault {
  const cure = "give one of them: a template is cloned, an image is imported";
  return { path, problem: "is given beside template", cure };
}

function incomplete(name: string, own: VmDraft, vm: VmDraft): Fault[] {
  const at = (key: string): string => pathText(["machines", name, "proxmox", key]);
  const faults: Fault[] = [];
  if (vm.node === undefined) {
    const cure = "give the Proxmox node that it is created on, here or in proxmox.defaults";
    faults.push({ path: at("node"), problem: "is missing", cure });
  }
  if (own.template !== undefined && own.image !== undefined) faults.push(both(at("image")));
  if (vm.template === undefined && vm.image === undefined) {
    const cure = "give the number of a template, or an image, here or in proxmox.defaults";
    faults.push({ path: at("template"), problem: "is missing", cure });
  }
  if (own.templateNode !== undefined && own.image !== undefined) {
    const problem = "says nothing of an image";
    faults.push({ path: at("templateNode"), problem, cure: "leave it out" });
  }
  return faults;
}

/** Refused at once, since it would be refused by the machine's own preflight after it was made. */
function small(name: string, own: VmDraft, vm: VmDraft, draft: ConfigDraft): Fault[] {
  if (draft.loadBalancers?.includes(name) === true) return [];
  const wanted = { memoryMiB: draft.preflight?.memoryMiB, diskGiB: draft.preflight?.diskGiB };
  return (["memoryMiB", "diskGiB"] as const).flatMap((key) => {
    const least = wanted[key];
    const value = vm[key] ?? vmDefaults[key];
    if (least === undefined || value > least) return [];
    const path =
      own[key] === undefined && draft.proxmox?.defaults?.[key] !== undefined
        ? `proxmox.defaults.${key}`
        : pathText(["machines", name, "proxmox", key]);
    return [
      {
        path,
        problem: `${value} leaves ${name} less than the ${least} that preflight.${key} asks for, once a system is on it`,
        cure: `give more than ${least}`,
      },
    ];
  });
}

function sharedNumbers(created: readonly Created[]): Fault[] {
  return created.flatMap(({ name, own: { vmId } }, position) => {
    if (vmId === undefined) return [];
    const path = pathText(["machines", name, "proxmox", "vmId"]);
    const earlier = created.slice(0, position).find((other) => other.own.vmId === vmId);
    const cure = "give each guest of the Proxmox cluster its own";
    if (earlier !== undefined) {
      return [{ path, problem: `${vmId} is also that of ${earlier.name}`, cure }];
    }
    const cloned = created.find(({ vm }) => vm.template === vmId);
    if (cloned === undefined) return [];
    return [{ path, problem: `${vmId} is the template of ${cloned.name}`, cure }];
  });
}
