import type { Fault } from "../configError.ts";
import type { ConfigDraft } from "../salvage.ts";

/** The pause: after a server of the list, with the initial one before it and another behind it. */
export function pause({ pauseAfter, servers, initialServer }: ConfigDraft): Fault[] {
  if (pauseAfter === undefined || servers === undefined || servers.length === 0) return [];
  const path = "pauseAfter";
  const position = servers.indexOf(pauseAfter);
  const names = servers.slice(0, -1).filter((name) => name !== undefined);
  const cure = [...(names.length === 0 ? [] : [`name ${names.join(" or ")}`]), "leave the key out"];
  if (position < 0) {
    const problem = `"${pauseAfter}" is not one of the servers`;
    return [{ path, problem, cure: cure.join(", or ") }];
  }
  if (position === servers.length - 1) {
    const problem = `"${pauseAfter}" is the last of the servers, so nothing is left to pause before`;
    return [{ path, problem, cure: cure.join(", or ") }];
  }
  if (initialServer === undefined || servers.indexOf(initialServer) <= position) return [];
  return [
    {
      path,
      problem: `"${pauseAfter}" comes before the initial server ${initialServer}, without which there is no cluster`,
      cure: `list ${initialServer} first, or pause after it`,
    },
  ];
}
