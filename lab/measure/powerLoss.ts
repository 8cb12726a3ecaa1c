import { setTimeout as sleep } from "node:timers/promises";
import { fault } from "../machines/machine.ts";
import { machineOf } from "../topology.ts";
import type { Topology } from "../topology.ts";
import { eventually } from "./eventually.ts";
import type { Window } from "./figures.ts";
import { missingToWhole } from "./whole.ts";

/** How long a loss is watched: well beyond every time-out that plays a part, except kubelet's 40 s. */
const watchedMs = 15_000;

/**
 * Takes the power from a machine for a while and gives it back, then waits until the cluster is whole again.
 * Gives the stretch in which it was away.
 */
export async function losePower(topology: Topology, name: string): Promise<Window> {
  const machine = machineOf(topology, name);
  const startMs = Date.now();
  await fault(topology, "power-off", machine);
  await sleep(watchedMs);
  const endMs = Date.now();
  await fault(topology, "power-on", machine);
  await eventually(180, () => missingToWhole(topology));
  // HAProxy has to have found the machine again before the next one may go.
  await sleep(5000);
  return { startMs, endMs };
}
