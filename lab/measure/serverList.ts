import { readFileSync, writeFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { stackFileOf } from "../stackFile.ts";
import type { Topology } from "../topology.ts";

/** Edits the one list. */
export function listServers(topology: Topology, servers: readonly string[]): void {
  editStack(topology, ["triad:servers"], servers);
}

/** Sets one value of the lab's stack file, as a person would, given its path below `config`; undefined takes it out. */
export function editStack(topology: Topology, path: readonly string[], value: unknown): void {
  const file = stackFileOf(topology);
  const document = parseDocument(readFileSync(file, "utf8"));
  if (value === undefined) document.deleteIn(["config", ...path]);
  else document.setIn(["config", ...path], document.createNode(value));
  writeFileSync(file, document.toString({ lineWidth: 0 }));
}
