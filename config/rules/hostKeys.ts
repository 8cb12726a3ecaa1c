import type { Fault } from "../configError.ts";
import { pathText } from "../pathText.ts";
import type { ConfigDraft } from "../salvage.ts";
import { HOW_TO_GET } from "../values/hostKey.ts";
import { type MachineDraft, machinesOf, type World } from "./rule.ts";

/**
 * Each machine's host key: read from one that exists; of one that Triad creates the one that it will have. That is made
 * of a secret, yet stands in the clear, so that whoever has the file alone knows whom to trust.
 */
export function hostKeys(draft: ConfigDraft, { hostKeyOf }: World): Fault[] {
  return machinesOf(draft).flatMap(([name, machine]) => {
    const made = machine.proxmox === undefined ? undefined : hostKeyOf?.(draft.name ?? "", name);
    const complaint = judge(machine, made);
    return complaint === undefined
      ? []
      : [{ path: pathText(["machines", name, "hostKey"]), ...complaint }];
  });
}

function judge(
  { hostKey, proxmox }: MachineDraft,
  made: string | undefined,
): Omit<Fault, "path"> | undefined {
  if (made !== undefined) {
    if (hostKey === made) return undefined;
    const problem = hostKey === undefined ? "is missing" : "is not the key that it will have";
    return { problem, cure: `give ${made}, which is made of hostKeySeed` };
  }
  if (hostKey !== undefined) return undefined;
  const cure = "set hostKeySeed, and `pulumi preview` says which key it will have";
  return { problem: "is missing", cure: proxmox === undefined ? HOW_TO_GET : cure };
}
