import { setTimeout as sleep } from "node:timers/promises";
import { exec } from "../machines/machine.ts";
import { initialServerOf, type Topology } from "../topology.ts";
import { eventually } from "./eventually.ts";
import type { Window } from "./figures.ts";
import { kubectl } from "./inside.ts";

/**
 * Restarts the API server of a cluster that has only this one, as bare as it gets. Gives the stretch until it
 * answers again: the least that a change with a restart would cost.
 */
export async function restartApiServer(topology: Topology): Promise<Window> {
  const server = initialServerOf(topology).name;
  const startMs = Date.now();
  const { exitCode, stderr } = await exec(server, topology.distribution.restartApiServer);
  if (exitCode !== 0) throw new Error(`${server}: the API server can't be restarted: ${stderr}`);
  await sleep(2000);
  await eventually(120, async () => {
    await kubectl(topology, ["get", "--raw=/readyz"]);
    return undefined;
  });
  const endMs = Date.now();
  await sleep(5000);
  return { startMs, endMs };
}
