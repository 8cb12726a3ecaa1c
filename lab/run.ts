/** `make lab`, `node lab/run.ts [--stack NAME]`: rehearses the change from one server to three, says what it cost, and leaves the lab up. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machineLogs } from "./machineLogs.ts";
import { outFolder } from "./measure/pulumi.ts";
import { printSummary } from "./measure/summary.ts";
import { rehearse } from "./rehearsal.ts";
import { chosenTopology } from "./topology.ts";

const { values } = parseArgs({ options: { stack: { type: "string" } } });
const topology = chosenTopology(values.stack);
const logs = join(outFolder, "logs");
try {
  const { report, broken } = await rehearse(topology);
  if (broken.length > 0) await machineLogs(topology, logs);
  printSummary(report, broken, logs);
  process.exit(broken.length === 0 ? 0 : 1);
} catch (error) {
  await machineLogs(topology, logs);
  console.error(error instanceof Error ? error.message : error);
  console.error(`${topology.stack}: failed. What the machines say: ${logs}`);
  process.exit(1);
}
