import { z } from "zod";
import { must } from "../machines/shell.ts";
import { operatorEnvironment } from "../operatorEnvironment.ts";
import { projectFolder } from "../paths.ts";
import type { Topology } from "../topology.ts";
import { inside } from "./inside.ts";

const outputs = z.object({
  servers: z.record(z.string(), z.object({ address: z.string(), leave: z.string() })),
  verified: z.object({ members: z.array(z.string()), nodes: z.array(z.string()) }),
});

/** What the stack tells its operator of servers and of the cluster's end. */
export async function stackOutput(topology: Topology): Promise<z.infer<typeof outputs>> {
  const argv = inside(topology, ["pulumi", "stack", "output", "--json", "--non-interactive"]);
  const env = await operatorEnvironment(topology);
  return outputs.parse(JSON.parse(await must(argv, { cwd: projectFolder, env })));
}
