import { z } from "zod";
import { eventually } from "../measure/eventually.ts";
import { kubectl } from "../measure/inside.ts";
import type { Topology } from "../topology.ts";

const condition = z.object({ type: z.string(), status: z.string() });
const object = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
  spec: z.object({ renewTime: z.string().optional() }),
  status: z.object({ conditions: z.array(condition).default([]) }).optional(),
});
const listSchema = z.object({ items: z.array(object) });

/** How long machines that have booted may take, in seconds. */
const limitSeconds = 180;

/**
 * Waits until all that the cluster knows of is Ready by a word that is younger than `sinceMs`: what it says first after
 * a boot is what it knew before.
 * @throws Error with what is not so, after three minutes
 */
export async function untilAtRest(topology: Topology, sinceMs: number): Promise<void> {
  await eventually(limitSeconds, async () => {
    const get = ["get", "leases,nodes,pods", "--all-namespaces", "-o=json"];
    const { items } = listSchema.parse(JSON.parse(await kubectl(topology, get)));
    const silent = items.filter(
      ({ kind, metadata, spec }) =>
        kind === "Lease" &&
        metadata.namespace === "kube-node-lease" &&
        Date.parse(spec.renewTime ?? "") < sinceMs,
    );
    const notReady = items.filter(({ kind, status }) => kind !== "Lease" && !isReady(status));
    const names = [...silent, ...notReady].map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    return names.length === 0 ? undefined : `not Ready: ${names.join(", ")}`;
  });
}

function isReady(status: z.infer<typeof object>["status"]): boolean {
  return (
    status?.conditions.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false
  );
}
