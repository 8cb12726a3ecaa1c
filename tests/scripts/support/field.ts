import assert from "node:assert/strict";

/** A field of a script's result, which must have it. */
export function field(result: unknown, name: string): unknown {
  assert.ok(
    result !== null && typeof result === "object" && name in result,
    JSON.stringify(result),
  );
  return Object.entries(result).find(([key]) => key === name)?.[1];
}
