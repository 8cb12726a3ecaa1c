import type { Fault } from "../configError.ts";
import { pathText } from "../pathText.ts";
import type { ConfigDraft } from "../salvage.ts";
import { judgeDnsLabel } from "../values/names.ts";
import { machinesOf } from "./rule.ts";

/** The machines among themselves: names that are names, and nothing that two of them share. */
export function machines(draft: ConfigDraft): Fault[] {
  return [...names(draft), ...sharedAddresses(draft), ...sharedNodeNames(draft)];
}

function names(draft: ConfigDraft): Fault[] {
  return machinesOf(draft).flatMap(([name]) => {
    const complaint = judgeDnsLabel(name);
    return complaint === undefined ? [] : [{ path: pathText(["machines", name]), ...complaint }];
  });
}

function sharedAddresses(draft: ConfigDraft): Fault[] {
  const addresses = machinesOf(draft).map(([name, { address }]) => ({ name, value: address }));
  return shared(addresses).map(({ name, value, earlier }) => ({
    path: pathText(["machines", name, "address"]),
    problem: `${value} is also the address of ${earlier}`,
    cure: "give each machine its own",
  }));
}

function sharedNodeNames(draft: ConfigDraft): Fault[] {
  const nodeNames = machinesOf(draft).map(([name, { nodeName }]) => ({
    name,
    value: nodeName ?? name,
  }));
  return shared(nodeNames).map(({ name, value, earlier }) => ({
    path: pathText(["machines", name, "nodeName"]),
    problem: `"${value}" is also the node name of ${earlier}`,
    cure: "give each machine its own",
  }));
}

interface Named {
  readonly name: string;
  readonly value: string | undefined;
}

function shared(all: readonly Named[]): { name: string; value: string; earlier: string }[] {
  return all.flatMap(({ name, value }, position) => {
    const earlier = all.slice(0, position).find((other) => other.value === value);
    return value === undefined || earlier === undefined
      ? []
      : [{ name, value, earlier: earlier.name }];
  });
}
