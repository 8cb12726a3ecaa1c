import { z } from "zod";
import type { Topology } from "../topology.ts";
import { kubectl } from "./inside.ts";

const list = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        namespace: z.string(),
        annotations: z.record(z.string(), z.string()).default({}),
      }),
      status: z.object({
        containerStatuses: z
          .array(
            z.object({
              name: z.string(),
              containerID: z.string().default(""),
              state: z.object({ running: z.object({ startedAt: z.string() }).optional() }),
            }),
          )
          .default([]),
      }),
    }),
  ),
});

/**
 * The containers of pods on one Node, each with its identity and since when it runs, a line each. Static pods are left
 * out: they are the control plane itself.
 */
export async function podsOn(topology: Topology, node: string): Promise<string[]> {
  const select = ["--all-namespaces", `--field-selector=spec.nodeName=${node}`];
  const text = await kubectl(topology, ["get", "pods", ...select, "-o=json"]);
  return list
    .parse(JSON.parse(text))
    .items.filter(({ metadata }) => !("kubernetes.io/config.mirror" in metadata.annotations))
    .flatMap(({ metadata, status }) =>
      status.containerStatuses.map(({ name, containerID, state }) =>
        [
          `${metadata.namespace}/${metadata.name}/${name}`,
          containerID,
          state.running?.startedAt ?? "does not run",
        ].join(" "),
      ),
    )
    .sort();
}
