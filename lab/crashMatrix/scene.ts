import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { diskOf } from "../machines/mounts.ts";
import { balancersOf, machinesWith, type LabMachine, type Topology } from "../topology.ts";
import type { EngineRun } from "./engineRun.ts";

/** A machine by the part that it plays: the servers of the list, the first worker, the load balancers. */
export type Part = "first" | "second" | "third" | "worker" | "balancer" | "other balancer";

/** Where a case plays. */
export interface Scene {
  readonly topology: Topology;
  /** The run that is to be interrupted. */
  readonly run: EngineRun;
}

/**
 * The machine that plays a part.
 * @throws Error when this home has none
 */
export function machineAs(topology: Topology, part: Part): LabMachine {
  const [first, second, third] = machinesWith(topology, "server");
  const [balancer, other] = balancersOf(topology);
  const [worker] = machinesWith(topology, "worker");
  const parts = { first, second, third, worker, balancer, "other balancer": other };
  const machine = parts[part];
  if (machine === undefined) throw new Error(`${topology.stack} has no ${part}`);
  return machine;
}

/** Whether there is a file or folder on a machine, seen on its disk: that takes no time, and a machine that is off has one. */
export function isOnDisk({ name }: LabMachine, path: string): boolean {
  return existsSync(join(diskOf(name).root, path));
}

/** The text of a file on a machine's disk, empty if there is none. */
export function onDisk(machine: LabMachine, path: string): string {
  try {
    return readFileSync(join(diskOf(machine.name).root, path), "utf8");
  } catch {
    return "";
  }
}
