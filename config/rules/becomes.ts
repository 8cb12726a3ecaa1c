import type { Fault } from "../configError.ts";
import { pathText } from "../pathText.ts";
import type { ConfigDraft } from "../salvage.ts";
import { machinesOf } from "./rule.ts";

/** What a server becomes: said of a server, while it is one or in the edit that makes it a worker. */
export function becomes(draft: ConfigDraft): Fault[] {
  return machinesOf(draft).flatMap(([name, machine]) => {
    if (machine.becomes === undefined) return [];
    const complaint = judge(name, machine.gone === true, draft);
    return complaint === undefined
      ? []
      : [{ path: pathText(["machines", name, "becomes"]), ...complaint }];
  });
}

function judge(
  name: string,
  isGone: boolean,
  { loadBalancers, servers, workers }: ConfigDraft,
): Omit<Fault, "path"> | undefined {
  if (isGone) return { problem: `${name} is gone and becomes nothing`, cure: "leave it out" };
  if (servers === undefined || workers === undefined) return undefined;
  if (servers.includes(name) || workers.includes(name)) return undefined;
  if (loadBalancers?.includes(name) === true) {
    return { problem: `${name} is a load balancer and never a server`, cure: "leave it out" };
  }
  return {
    problem: `${name} is no server, and one that leaves in this very run would be cleaned`,
    cure: "list it under workers, or leave this out",
  };
}
