import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readEtcd, readNodes, readSize } from "./measure/clusterState.ts";
import { CommandWatch } from "./measure/commandWatch.ts";
import { Measurement } from "./measure/measurement.ts";
import type { Measured } from "./measure/measurement.ts";
import { Phases } from "./measure/phases.ts";
import { outFolder } from "./measure/pulumi.ts";
import { buildReport } from "./measure/report.ts";
import type { Report } from "./measure/report.ts";
import { listServers } from "./measure/serverList.ts";
import type { Step } from "./measure/steps.ts";
import { up } from "./measure/up.ts";
import { promisesOf } from "./measure/verify.ts";
import { leaveAndReturn } from "./proxmox/leaveAndReturn.ts";
import { createdMachines, machinesWith, type Topology } from "./topology.ts";
import { tellOwner } from "./foreignBalancer.ts";
import { upBeforeState } from "./lab.ts";

/** Where samples and what else was seen during the last rehearsal lie. */
export const samplesFolder = join(outFolder, "samples");

/** What came out of a rehearsal: it is verified when nothing is broken. */
export interface Rehearsal {
  readonly report: Report;
  /** Each promise that was not kept, and what is so instead. */
  readonly broken: readonly string[];
  readonly measured: Measured;
  readonly steps: readonly Step[];
}

/**
 * Rehearses the change on a fresh lab: a cluster with one server is adopted, its list grows to all servers of the
 * home, and what was promised is looked at, while a writer and two probes run. Where servers are created, one of them
 * leaves with its machine in between, and returns. Leaves the lab up, and writes out/lab/report.json.
 */
export async function rehearse(topology: Topology): Promise<Rehearsal> {
  const phases = new Phases();
  const servers = machinesWith(topology, "server").map(({ name }) => name);
  const [first = ""] = servers;
  const was = `a cluster with one server, made by hand with ${topology.distribution.name}`;
  await phases.run(was, () => upBeforeState(topology));
  const before = await readSize(topology);
  const measurement = await phases.run("a writer, and probes outside and inside the cluster", () =>
    Measurement.start(topology, samplesFolder),
  );
  const watch = new CommandWatch(join(samplesFolder, "commands.txt"));
  const adopted = await phases.run(`pulumi up adopts it: servers [${first}]`, async (tell) => {
    listServers(topology, [first]);
    await tellOwner(topology);
    return up(topology, "adopt", tell);
  });
  const grown = await phases.run(
    `pulumi up grows it: servers [${servers.join(", ")}]`,
    async (tell) => {
      listServers(topology, servers);
      await tellOwner(topology);
      return up(topology, "grow", tell);
    },
  );
  watch.stop();
  const returned = await returns(topology, phases);
  const broken = await phases.run("looking whether all is as promised", (tell) =>
    brokenPromises(topology, tell),
  );
  broken.unshift(...returned.broken);
  const measured = await measurement.stop();
  const steps = [...adopted, ...grown, ...returned.steps];
  const report = buildReport({
    stack: topology.stack,
    ...measured,
    steps,
    lost: measured.lost.length,
    etcd: await readEtcd(topology, first),
    nodes: await readNodes(topology),
    before,
    after: await readSize(topology),
  });
  if (report.writes.lost > 0)
    broken.push(`acknowledged writes were lost: ${measured.lost.join(", ")}`);
  mkdirSync(outFolder, { recursive: true });
  writeFileSync(join(outFolder, "report.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  return { report, broken, measured, steps };
}

/** Where servers are created, the last of the list leaves, and is created anew. */
async function returns(
  topology: Topology,
  phases: Phases,
): Promise<{ steps: readonly Step[]; broken: readonly string[] }> {
  const last = createdMachines(topology)
    .filter(({ role }) => role === "server")
    .at(-1);
  if (last === undefined) return { steps: [], broken: [] };
  return await phases.run(`${last.name} leaves, its machine with it, and returns`, (tell) =>
    leaveAndReturn(topology, last.name, tell),
  );
}

/** Looks at every promise; gives those that are not kept. */
export async function brokenPromises(
  topology: Topology,
  tell: (line: string) => void,
): Promise<string[]> {
  const broken: string[] = [];
  for (const { sentence, look } of promisesOf(topology)) {
    const instead = await look(topology).catch((error: unknown) => String(error));
    tell(
      `${instead === undefined ? "✔" : "✘"} ${sentence}${instead === undefined ? "" : `: ${instead}`}`,
    );
    if (instead !== undefined) broken.push(`${sentence}: ${instead}`);
  }
  return broken;
}
