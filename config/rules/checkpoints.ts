import type { Fault } from "../configError.ts";
import { pathText } from "../pathText.ts";
import { machinesOf, type Rule } from "./rule.ts";

/** Checkpoints of machines that exist: each is described, not one that Triad creates, and no two have one number. */
export const checkpoints: Rule = (draft) => {
  const machines = new Map(machinesOf(draft));
  const taken = new Map<number, string>();
  for (const [name, { proxmox }] of machines) {
    if (proxmox?.vmId !== undefined) taken.set(proxmox.vmId, name);
  }
  return Object.entries(draft.proxmox?.checkpoints?.existing ?? {}).flatMap(
    ([name, vmId]): Fault[] => {
      const path = pathText(["proxmox", "checkpoints", "existing", name]);
      const machine = machines.get(name);
      if (machine === undefined) {
        const cure = "give the name of a machine under machines";
        return [{ path, problem: "is no described machine", cure }];
      }
      if (machine.proxmox !== undefined) {
        return [
          { path, problem: "is created by Triad, so its number is known", cure: "remove it" },
        ];
      }
      if (vmId === undefined) return [];
      const other = taken.get(vmId);
      taken.set(vmId, name);
      if (other === undefined) return [];
      const cure = "give each its own, as `qm list` shows it: another machine would be rolled back";
      return [{ path, problem: `${vmId} is also that of ${other}`, cure }];
    },
  );
};
