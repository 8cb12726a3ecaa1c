import { closestName } from "../closestName.ts";
import type { Fault } from "../configError.ts";
import type { ConfigDraft } from "../salvage.ts";
import { machinesOf } from "./rule.ts";

const ROLES = ["servers", "workers", "loadBalancers"] as const;

/** More members than this make etcd slower and hardly safer. */
const MOST_SERVERS = 7;
/** More would only be more to keep alike; it also keeps VRRP's priorities in their range. */
const MOST_LOAD_BALANCERS = 7;

/** Who is listed in which role: described, once, in one role, and as many as make sense. */
export function roles(draft: ConfigDraft): Fault[] {
  return [...counts(draft), ...entries(draft), ...initialServer(draft)];
}

function counts({ servers, loadBalancers }: ConfigDraft): Fault[] {
  const faults: Fault[] = [];
  if (servers?.length === 0) {
    faults.push({
      path: "servers",
      problem: "names no machine",
      cure: "name at least one of those under machines",
    });
  }
  if (servers !== undefined && servers.length > MOST_SERVERS) {
    faults.push({
      path: "servers",
      problem: `names ${servers.length} machines, and each of them makes etcd slower`,
      cure: `name ${MOST_SERVERS} at most; three or five are enough for nearly everybody`,
    });
  }
  if (loadBalancers !== undefined && loadBalancers.length > MOST_LOAD_BALANCERS) {
    faults.push({
      path: "loadBalancers",
      problem: `names ${loadBalancers.length} machines, of which one at a time works`,
      cure: `name ${MOST_LOAD_BALANCERS} at most; two are enough for nearly everybody`,
    });
  }
  return faults;
}

function entries(draft: ConfigDraft): Fault[] {
  const described = machinesOf(draft).map(([name]) => name);
  const seen = new Map<string, string>();
  const faults: Fault[] = [];
  for (const role of ROLES) {
    for (const [position, name] of (draft[role] ?? []).entries()) {
      if (name === undefined) continue;
      const path = `${role}[${position}]`;
      const earlier = seen.get(name);
      if (draft.machines !== undefined && !described.includes(name)) {
        faults.push(notDescribed(path, name, described));
      } else if (earlier !== undefined) {
        faults.push(listedTwice(path, name, earlier));
      } else {
        seen.set(name, path);
      }
    }
  }
  return faults;
}

function notDescribed(path: string, name: string, described: readonly string[]): Fault {
  const guess = closestName(name, described);
  return {
    path,
    problem: `"${name}" is not described under machines`,
    cure:
      guess === undefined
        ? `describe it there, or name one of ${described.join(", ")}`
        : `did you mean "${guess}"?`,
  };
}

function listedTwice(path: string, name: string, earlier: string): Fault {
  const isSameList = earlier.split("[")[0] === path.split("[")[0];
  return {
    path,
    problem: `"${name}" is already ${earlier}`,
    cure: isSameList ? "name each machine once" : "give a machine one role only",
  };
}

function initialServer({ servers, initialServer: name }: ConfigDraft): Fault[] {
  if (name === undefined || servers === undefined || servers.length === 0) return [];
  if (servers.includes(name)) return [];
  const names = servers.filter((server) => server !== undefined);
  return [
    {
      path: "initialServer",
      problem: `"${name}" is not one of the servers`,
      cure: `name one of ${names.join(", ")}, or leave the key out`,
    },
  ];
}
