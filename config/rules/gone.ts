import type { Fault } from "../configError.ts";
import { areBalancersOwn } from "../defaults.ts";
import type { ConfigDraft } from "../salvage.ts";
import { untilPause } from "../untilPause.ts";
import { machinesOf } from "./rule.ts";

/**
 * Machines that are gone: somebody must be left. How many servers a quorum needs is not judged here: after a recovery
 * etcd has forgotten those that are still listed, and only etcd knows.
 */
export function gone(draft: ConfigDraft): Fault[] {
  const lost = machinesOf(draft).flatMap(([name, machine]) => (machine.gone === true ? name : []));
  return [...serversLeft(draft, lost), ...balancersLeft(draft, lost)];
}

function serversLeft({ servers, pauseAfter }: ConfigDraft, lost: readonly string[]): Fault[] {
  const now = untilPause(servers ?? [], pauseAfter);
  if (!areAllLost(now, lost)) return [];
  const behindPause = now.length < (servers ?? []).length;
  return [
    {
      path: "servers",
      problem: `${now.join(" and ")} ${now.length === 1 ? "is" : "are"} gone, which leaves no server`,
      cure: behindPause
        ? "remove pauseAfter, or list a server that lives"
        : "list a server that lives; if none does, restore a backup first, as docs/restore.md says",
    },
  ];
}

function balancersLeft(draft: ConfigDraft, lost: readonly string[]): Fault[] {
  const { loadBalancers = [] } = draft;
  if (areBalancersOwn(draft) || !areAllLost(loadBalancers, lost)) return [];
  return [
    {
      path: "loadBalancers",
      problem: `${loadBalancers.join(" and ")} ${loadBalancers.length === 1 ? "is" : "are"} gone, so nobody holds the endpoint's address`,
      cure: "name a machine that lives, then take away those that are gone",
    },
  ];
}

function areAllLost(names: readonly (string | undefined)[], lost: readonly string[]): boolean {
  return (
    names.length > 0 && names.every((name): boolean => name !== undefined && lost.includes(name))
  );
}
