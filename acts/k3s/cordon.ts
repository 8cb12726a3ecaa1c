import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import type { Progress } from "../act.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { readNode } from "../nodes.ts";
import type { Machine } from "../request.ts";

const cordonedAnnotation = "triad.dev/cordoned";

/**
 * No new pods come to a worker while it becomes a server; a mark says that it was us. One that somebody else cordoned
 * stays cordoned afterwards.
 */
export async function cordonForPromotion(
  cluster: LiveCluster,
  { name, nodeName }: Machine,
  progress: Progress,
): Promise<void> {
  const node = await readNode(cluster, nodeName);
  if (node === undefined || node.spec?.unschedulable === true) return;
  progress(`${name} gets no new pods while it becomes a server`);
  await patch(cluster, nodeName, true, "promotion");
}

/** Lets a Node have pods again that {@link cordonForPromotion} had cordoned, also in a run that was cut off. */
export async function uncordonPromoted(
  cluster: LiveCluster,
  { name, nodeName }: Machine,
  progress: Progress,
): Promise<void> {
  const node = await readNode(cluster, nodeName);
  if (node?.metadata?.annotations?.[cordonedAnnotation] === undefined) return;
  await patch(cluster, nodeName, null, null);
  progress(`${name} gets pods again`);
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
