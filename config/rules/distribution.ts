import type { Fault } from "../configError.ts";
import type { ConfigDraft } from "../salvage.ts";
import { defaultArtifacts } from "../schema/artifacts.ts";

/** What is said for the other distribution, and so would do nothing. */
export function distribution(draft: ConfigDraft): Fault[] {
  if (draft.distribution === undefined) return [];
  const cure = "leave it out, or correct distribution";
  return misplaced(draft).map((path) => ({
    path,
    problem: `says nothing to ${draft.distribution}`,
    cure,
  }));
}

function misplaced({ distribution: name, k3s, artifacts }: ConfigDraft): string[] {
  const isOther = (key: "binaries" | "k3s"): boolean =>
    artifacts?.[key] !== undefined && artifacts[key] !== defaultArtifacts[key];
  if (name === "k3s") return isOther("binaries") ? ["artifacts.binaries"] : [];
  return [...(k3s === undefined ? [] : ["k3s"]), ...(isOther("k3s") ? ["artifacts.k3s"] : [])];
}
