import { setTimeout as sleep } from "node:timers/promises";
import { exec } from "../machines/machine.ts";
import type { Topology } from "../topology.ts";
import { eventually } from "./eventually.ts";
import type { Window } from "./figures.ts";
import { kubectl } from "./inside.ts";

/**
 * Restarts the API server of a cluster that has only this one, as bare as it gets: its process is killed, kubelet
 * starts it again. (Asked to end, it would first wait up to a minute for its requests.) Gives the stretch until it answers. That is the least which a change with a restart would cost.
 */
export async function restartApiServer(topology: Topology, server: string): Promise<Window> {
  const startMs = Date.now();
  const { exitCode, stderr } = await exec(server, [
    "pkill",
    "--signal",
    "KILL",
    "--exact",
    "kube-apiserver",
  ]);
  if (exitCode !== 0) throw new Error(`${server}: no kube-apiserver to restart: ${stderr}`);
  await sleep(2000);
  await eventually(120, async () => {
    await kubectl(topology, ["get", "--raw=/readyz"]);
    return undefined;
  });
  const endMs = Date.now();
  await sleep(5000);
  return { startMs, endMs };
}
