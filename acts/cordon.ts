import { PatchStrategy, setHeaderOptions, type V1Node } from "@kubernetes/client-node";
import type { Progress } from "./act.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { readNode } from "./nodes.ts";
import type { Machine } from "./request.ts";

/** Its value says what for: `promotion` or `leaving`. */
export const cordonedAnnotation = "triad.dev/cordoned";

const reasons = {
  promotion: "while it becomes a server",
  leaving: "as it leaves",
} as const;

/**
 * No new pods come to a Node while its machine changes; a mark says that it was us. One that somebody else cordoned stays
 * cordoned afterwards.
 */
export async function cordon(
  cluster: LiveCluster,
  { name, nodeName }: Machine,
  reason: keyof typeof reasons,
  progress: Progress,
): Promise<void> {
  const node = await readNode(cluster, nodeName);
  if (node === undefined || node.spec?.unschedulable === true) return;
  progress(`${name} gets no new pods ${reasons[reason]}`);
  await patch(cluster, nodeName, true, reason);
}

/** Lets a Node have pods again that {@link cordon} had cordoned, also in a run that was cut off. */
export async function uncordon(
  cluster: LiveCluster,
  { name, nodeName }: Machine,
  progress: Progress,
): Promise<void> {
  const node = await readNode(cluster, nodeName);
  if (node?.metadata?.annotations?.[cordonedAnnotation] === undefined) return;
  await patch(cluster, nodeName, null, null);
  progress(`${name} gets pods again`);
}

/** Whether a leave has begun: one that ended without having taken this back was cut off. */
export function isLeaving(node: V1Node | undefined): boolean {
  return node?.metadata?.annotations?.[cordonedAnnotation] === "leaving";
}

async function patch(
  cluster: LiveCluster,
  nodeName: string,
  unschedulable: true | null,
  mark: string | null,
): Promise<void> {
  await cluster.core.patchNode(
    {
      name: nodeName,
      body: { spec: { unschedulable }, metadata: { annotations: { [cordonedAnnotation]: mark } } },
    },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
}
