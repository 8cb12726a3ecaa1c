/** `node tools/verify.ts STACK`: a read-only look at a stack's cluster, without the engine and the stack's secrets. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import * as z from "zod";
import { verification } from "../acts/verification.ts";
import { verificationOf } from "../components/verificationOf.ts";
import { parseConfig } from "../config/parse.ts";
import { judgeWorld } from "../observe/observe.ts";
import { planCluster } from "../plan/clusterPlan.ts";

const namespace = "triad:";
const stackFile = z.object({ config: z.record(z.string(), z.unknown()) });

const [stack = ""] = process.argv.slice(2);
try {
  const plan = planCluster(parseConfig(readConfig(`Pulumi.${stack}.yaml`)));
  const { faults, warnings } = await judgeWorld(plan);
  for (const warning of [...plan.warnings, ...warnings]) console.log(`warning: ${warning}`);
  for (const fault of faults) console.log(`fault: ${fault}`);
  const found = await verification(verificationOf(plan), {
    verb: "update",
    previous: undefined,
    progress: () => undefined,
  });
  console.log(JSON.stringify(found, undefined, 2));
  process.exit(faults.length === 0 ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

function readConfig(file: string): Record<string, unknown> {
  const { config } = stackFile.parse(parse(readFileSync(file, "utf8")));
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(namespace))
      .map(([key, value]) => [key.slice(namespace.length), value]),
  );
}
