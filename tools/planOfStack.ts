import { readFileSync } from "node:fs";
import { parse } from "yaml";
import * as z from "zod";
import { parseConfig } from "../config/parse.ts";
import { type ClusterPlan, planCluster } from "../plan/clusterPlan.ts";

const namespace = "triad:";
const stackFile = z.object({ config: z.record(z.string(), z.unknown()) });

/**
 * The plan of a stack as its file `Pulumi.<stack>.yaml` says, without the engine and the stack's secrets.
 * @throws Error when the file is missing or the config is refused
 */
export function planOfStack(stack: string): ClusterPlan {
  const { config } = stackFile.parse(parse(readFileSync(`Pulumi.${stack}.yaml`, "utf8")));
  const own = Object.entries(config).filter(([key]) => key.startsWith(namespace));
  return planCluster(
    parseConfig(
      Object.fromEntries(own.map(([key, value]) => [key.slice(namespace.length), value])),
    ),
  );
}
