import type { EngineEvent } from "./steps.ts";

/**
 * What an event says was done to a resource, as `create Server hp` or `delete Command hp-membership`: the operation, the
 * last part of the type, the logical name. Nothing of what stays as it is, nor of what is the engine's own.
 */
export function changeOf(event: EngineEvent): string | undefined {
  const metadata = event.resOutputsEvent?.metadata;
  if (metadata === undefined) return undefined;
  const { op, urn, type, old, new: next } = metadata;
  if (type.startsWith("pulumi:") || /^(same|read|refresh)/.test(op)) return undefined;
  // A component holds resources, and is nothing that could be updated.
  if (op === "update" && (next ?? old)?.custom !== true) return undefined;
  return `${op} ${type.split(":").at(-1) ?? type} ${urn.split("::").at(-1) ?? urn}`;
}

/** Of changes, those of one kind, without its name: of `delete` the resources that are gone. */
export function changed(changes: readonly string[], op: string): string[] {
  return changes
    .filter((change) => change.startsWith(`${op} `))
    .map((change) => change.slice(op.length + 1));
}
