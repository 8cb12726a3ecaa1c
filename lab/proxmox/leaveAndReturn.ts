import { existsSync } from "node:fs";
import { readEtcd } from "../measure/clusterState.ts";
import { eventually } from "../measure/eventually.ts";
import { runPulumi, type PulumiRun } from "../measure/pulumiRun.ts";
import { stackOutput } from "../measure/stackOutput.ts";
import type { Step } from "../measure/steps.ts";
import { up } from "../measure/up.ts";
import { missingToWhole } from "../measure/whole.ts";
import { statePaths } from "../paths.ts";
import { initialServerOf, machinesWith, type Topology } from "../topology.ts";
import { machinesOnProxmox } from "./askControl.ts";
import { wrongInOrder } from "./orderOfDeletes.ts";

/**
 * Lets a server that was created go by its own destroy, which takes its machine along, and brings both back by the
 * unchanged list.
 * @returns the steps of both, and what was not as it should be
 * @throws Error when either fails
 */
export async function leaveAndReturn(
  topology: Topology,
  server: string,
  tell: (line: string) => void,
): Promise<{ steps: readonly Step[]; broken: readonly string[] }> {
  const left = await leaveWithMachine(topology, server, tell);
  const broken = await leftOf(topology, server, left);
  const back = await up(topology, "return", tell);
  await eventually(180, () => missingToWhole(topology));
  return { steps: [...left.steps, ...back], broken };
}

/**
 * Lets a server go by the command that the stack tells for it.
 * @throws Error with what Pulumi said when it fails
 */
export async function leaveWithMachine(
  topology: Topology,
  server: string,
  tell: (line: string) => void = () => undefined,
): Promise<PulumiRun> {
  const { leave } = (await stackOutput(topology)).servers[server] ?? {};
  if (leave === undefined) throw new Error(`the stack has no command for ${server}`);
  const run = await runPulumi(topology, `leave-${server}`, leave, tell);
  if (run.exitCode !== 0)
    throw new Error(`${server} could not leave:\n${run.errors || run.output}`);
  return run;
}

/** What is left of a server that has left with its machine, or went in another order, in words. */
export async function leftOf(
  topology: Topology,
  server: string,
  { output }: Pick<PulumiRun, "output">,
): Promise<string[]> {
  const created = await machinesOnProxmox();
  const { name: initial } = initialServerOf(topology);
  const { voters, learners } = await readEtcd(topology, initial);
  const others = machinesWith(topology, "server").length - 1;
  return [
    ...wrongInOrder(output, server),
    ...(created.some(({ name }) => name === server) ? [`Proxmox still has ${server}`] : []),
    ...(existsSync(statePaths.machine(server)) ? [`the disk of ${server} is still there`] : []),
    ...(voters === others && learners === 0
      ? []
      : [`etcd has ${String(voters)} voters and ${String(learners)} learners`]),
  ];
}
