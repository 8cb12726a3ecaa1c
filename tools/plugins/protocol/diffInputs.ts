import { isDeepStrictEqual } from "node:util";

import type { Properties } from "./values.ts";

/** How one input differs between two deployments. */
export interface InputChange {
  readonly input: string;
  readonly kind: "add" | "delete" | "update";
}

/** Compares inputs as they travel, so that becoming a secret, or an asset's new content, counts as a change. */
export function diffInputs(before: Properties, after: Properties): readonly InputChange[] {
  const inputs = new Set([...Object.keys(before), ...Object.keys(after)]);
  return (
    [...inputs]
      // `version` and names with two underscores are the engine's own.
      .filter((input) => input !== "version" && !input.startsWith("__"))
      .flatMap((input): InputChange[] => {
        const old = before[input] ?? undefined;
        const now = after[input] ?? undefined;
        if (isDeepStrictEqual(old, now)) return [];
        const kind = old === undefined ? "add" : now === undefined ? "delete" : "update";
        return [{ input, kind }];
      })
  );
}
