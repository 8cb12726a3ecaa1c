import { join } from "node:path";
import { pulumi } from "../measure/pulumi.ts";
import { listServers } from "../measure/serverList.ts";
import type { States } from "../savedState/states.ts";
import type { Topology } from "../topology.ts";
import type { Way } from "./cases.ts";
import { EngineRun } from "./engineRun.ts";
import { machineAs } from "./scene.ts";
import { isLocked } from "./stateFound.ts";

/** How long a run that heals may take, ms: it may have to wait for an act that goes on. */
const patienceMs = 15 * 60_000;

const up = ["up", "--yes", "--skip-preview"];

/** The run that is to be interrupted; the list in the stack file is already as it has to be. */
export function interruptedArgs(topology: Topology, way: Way): readonly string[] {
  if (way !== "destroy --target") return up;
  const server = `triad:index:Cluster$triad:index:Server::${machineAs(topology, "third").name}`;
  const urn = `urn:pulumi:${topology.stack}::triad::${server}`;
  return ["destroy", "--target", urn, "--target-dependents", "--yes", "--skip-preview"];
}

/**
 * Gives the commands that an operator gives after an interruption: the one that Pulumi demands after it was killed, then
 * the same run again; where a server was to leave, last the list with all three.
 *
 * @param given the commands are added here
 * @throws Error when one of them fails; a failed run is given a second chance, only to say whether that would have helped
 */
export async function heal(
  topology: Topology,
  states: States,
  way: Way,
  folder: string,
  given: string[],
): Promise<void> {
  if (await isLocked()) {
    given.push("pulumi cancel");
    const { exitCode, output } = await pulumi(topology, "crash-matrix/cancel", ["cancel", "--yes"]);
    if (exitCode !== 0) throw new Error(`pulumi cancel failed: ${output}`);
  }
  if (way === "list of two") await again(topology, "pulumi up", join(folder, "heal"), given);
  listServers(topology, states.serversOf(3));
  const last = way === "grow" ? "pulumi up" : "pulumi up with three";
  await again(topology, last, join(folder, "heal-three"), given);
}

async function again(
  topology: Topology,
  what: string,
  log: string,
  given: string[],
): Promise<void> {
  given.push(what);
  const run = await EngineRun.start(topology, up, `${log}.log`);
  if ((await run.within(patienceMs)) === 0) return;
  const second = await EngineRun.start(topology, up, `${log}-again.log`);
  const helped =
    (await second.within(patienceMs)) === 0 ? "a second one went well" : "a second one failed too";
  given.push(`${what} once more`);
  throw new Error(`${what} failed, ${helped}: ${run.errors}`);
}
