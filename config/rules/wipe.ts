import type { Fault } from "../configError.ts";
import type { ConfigDraft } from "../salvage.ts";

/** A wipe is meant only if it names the cluster, and the word does not lie about for the next time. */
export function wipe({ name, onDestroy, wipe: word }: ConfigDraft): Fault[] {
  const path = "wipe";
  if (onDestroy === "wipe") {
    if (name === undefined || word === name) return [];
    const problem =
      word === undefined
        ? "is missing, and onDestroy says wipe"
        : `"${word}" is not the cluster's name`;
    const cure = `give ${name} if that is the cluster whose last server may be wiped, or onDestroy: leave`;
    return [{ path, problem, cure }];
  }
  if (word === undefined || onDestroy === undefined) return [];
  return [
    {
      path,
      problem: `nothing is wiped, as onDestroy says ${onDestroy}`,
      cure: "leave it out, or give onDestroy: wipe",
    },
  ];
}
