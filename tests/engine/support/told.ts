import assert from "node:assert/strict";
import type { Entry, Run } from "./stack.ts";

/** What the engine did, a line each such as `delete Command k8s-master-membership`, in the order in which it ended. */
export function operationsOf({ ok, operations, output }: Run): string[] {
  assert.ok(ok, output);
  return operations.map(({ op, urn, name }) => `${op} ${typeOf(urn)} ${name}`);
}

/** What ran on machines and which acts did, a line each such as `k8s-master membership delete` or `lb1-haproxy ensure`. */
export function ranIn({ entries }: Run): string[] {
  return entries.map(({ act, verb, who }) => [who, act, verb].filter(Boolean).join(" "));
}

/** The one time that a membership was asked to do this. */
export function membership({ entries }: Run, machine: string, verb: string): Entry {
  const found = entries.filter((one) => one.act === "membership" && one.verb === verb);
  const [own, ...others] = found.filter(({ who }) => who === machine);
  assert.ok(own && others.length === 0, `${machine} ${verb}: ${found.length} entries`);
  return own;
}

/** For a list of which the order does not matter. */
export function sorted(lines: readonly string[]): string[] {
  return [...lines].sort();
}

function typeOf(urn: string): string {
  return urn.split("::")[2]?.split(":").at(-1) ?? "";
}
