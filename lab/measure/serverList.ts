import { readFileSync, writeFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { hostKeyOf } from "../machines/keys.ts";
import { stackFileOf } from "../stackFile.ts";
import type { Topology } from "../topology.ts";

/** Edits the one list. */
export function listServers(topology: Topology, servers: readonly string[]): void {
  editStack(topology, ["triad:servers"], servers);
}

/** Edits the list of workers; what becomes one of a server is moved in one edit of both. */
export function listWorkers(topology: Topology, workers: readonly string[]): void {
  editStack(topology, ["triad:workers"], workers);
}

/** Says that a machine is gone for good; or no longer, when there is another in its place. */
export function sayGone(topology: Topology, machine: string, isGone: boolean): void {
  editStack(topology, ["triad:machines", machine, "gone"], isGone ? true : undefined);
}

/** Accepts the host key that a machine has now. */
export async function acceptHostKey(topology: Topology, machine: string): Promise<void> {
  editStack(topology, ["triad:machines", machine, "hostKey"], await hostKeyOf(machine));
}

/** The lab's stack file as it is, to be put back by {@link putStack}. */
export function readStack(topology: Topology): string {
  return readFileSync(stackFileOf(topology), "utf8");
}

/** @see {@link readStack} */
export function putStack(topology: Topology, text: string): void {
  writeFileSync(stackFileOf(topology), text);
}

/** Sets one value of the lab's stack file, as a person would, given its path below `config`; undefined takes it out. */
export function editStack(topology: Topology, path: readonly string[], value: unknown): void {
  const document = parseDocument(readStack(topology));
  if (value === undefined) document.deleteIn(["config", ...path]);
  else document.setIn(["config", ...path], document.createNode(value));
  putStack(topology, document.toString({ lineWidth: 0 }));
}
