import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { connect } from "../../ssh/connection.ts";
import { ActError, type Progress } from "../act.ts";
import { demoteNode } from "../demoteNode.ts";
import { forgetNode } from "../forgetNode.ts";
import { gate } from "../gate.ts";
import { isWorkerAgain } from "../leaveFacts.ts";
import { LeaverMachine } from "../leaverMachine.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { drainServer, enableServer } from "../loadBalancers.ts";
import { forgetNodePassword } from "../nodePassword.ts";
import { controlPlaneLabel, isReady, isServer, membershipAnnotation, readNode } from "../nodes.ts";
import { readiness } from "../readiness.ts";
import type { Machine } from "../request.ts";
import { restartKubelets } from "./kubelets.ts";
import type { RecoveryRequest } from "./request.ts";
import { restartWatchers } from "../k3s/watchers.ts";
import { reasonOf } from "../reasonOf.ts";

/** What the machine's part says of itself. */
export interface Recovered {
  readonly source: string;
  readonly recoveredAt: number | null;
  readonly bumped: boolean;
}

/**
 * The cluster of one server loses what is left of the others, gets its clients back, and whoever watched its API hears of
 * changes again. Run again, it goes on. Its caller holds the Lease.
 *
 * @throws ActError when a part of it failed; all else is done then
 */
export async function settleCluster(
  cluster: LiveCluster,
  request: RecoveryRequest,
  { source, recoveredAt, bumped }: Recovered,
  stopped: readonly Machine[],
  progress: Progress,
): Promise<void> {
  const isOld = source !== "own data";
  if (isOld) await forgetWhatIsOld(cluster, request, progress);
  await survivorIsReady(cluster, request, progress);
  for (const machine of stopped) await clean(machine, request, progress);
  await forgetOthers(cluster, request, progress);
  await openEndpoint(cluster, request, isOld, progress);
  const since = String(recoveredAt ?? 0);
  const failures: string[] = [];
  if (request.distribution === "kubeadm") {
    failures.push(...(await restartKubelets(cluster, request, since, progress)));
  }
  if (!bumped) {
    await restartWatchers(cluster, request, since, progress).catch((error: unknown) => {
      if (!(error instanceof ActError)) throw error;
      failures.push(error.message);
    });
  }
  if (failures.length === 0) return;
  throw new ActError(
    `the cluster serves again from ${request.survivor.name}, but not everybody who watches it was restarted:\n${failures.map((line) => `    ${line}`).join("\n")}`,
    "who is not may no longer hear of changes",
    "mend what is named, or delete the Nodes of machines that are no more, then run make recover again: all else is done",
  );
}

/** What a snapshot says of Nodes may be of another life: passwords, orders to leave, and whom they stand for. */
async function forgetWhatIsOld(
  cluster: LiveCluster,
  { survivor }: RecoveryRequest,
  progress: Progress,
): Promise<void> {
  const { items } = await cluster.core.listNode();
  for (const { metadata } of items) {
    const name = metadata?.name ?? "";
    // The machine's present password is taken when it next registers.
    await forgetNodePassword(cluster, name);
    const annotations: Record<string, null> = {
      "etcd.k3s.cattle.io/remove": null,
      "etcd.k3s.cattle.io/removed-node-name": null,
      ...(name === survivor.nodeName ? { [membershipAnnotation]: null } : {}),
    };
    if (!Object.keys(annotations).some((key) => metadata?.annotations?.[key] !== undefined)) {
      continue;
    }
    progress(`the Node ${name} loses annotations that it had at the snapshot`);
    await patchNode(cluster, name, { annotations });
  }
}

async function survivorIsReady(
  cluster: LiveCluster,
  { survivor }: RecoveryRequest,
  progress: Progress,
): Promise<void> {
  const { nodeName, name } = survivor;
  await gate(
    async () => {
      const node = await readNode(cluster, nodeName);
      if (!isReady(node)) return { seen: node === undefined ? "it has no Node" : "not Ready" };
      return { found: node };
    },
    {
      what: `${name} to be Ready`,
      limitMs: 240_000,
      why: "pods and load balancers count on it alone",
      cure: `see journalctl -u ${cluster.distribution.units.server} on ${name}, then run make recover again`,
      progress,
    },
  );
  // At an old snapshot it may have been a worker; k3s says so itself.
  await patchNode(cluster, nodeName, { labels: { [controlPlaneLabel]: labelValue(cluster) } });
}

function labelValue({ distribution }: LiveCluster): string {
  return distribution.name === "k3s" ? "true" : "";
}

async function patchNode(
  { core }: LiveCluster,
  name: string,
  metadata: Readonly<Record<string, object>>,
): Promise<void> {
  await core.patchNode(
    { name, body: { metadata } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
}

/** A server that was stopped and answers is cleaned as one that leaves; it can join again like an empty machine. */
async function clean(
  machine: Machine,
  request: RecoveryRequest,
  progress: Progress,
): Promise<void> {
  const connection = await connect(machine, request.identity);
  try {
    await new LeaverMachine(connection, request, undefined, progress).clean();
  } finally {
    connection.close();
  }
}

/** The other servers' Nodes; one that is a worker by now, though not at the snapshot, or is one again, stays as that. */
async function forgetOthers(
  cluster: LiveCluster,
  { survivor, lost, workers }: RecoveryRequest,
  progress: Progress,
): Promise<void> {
  const { items } = await cluster.core.listNode();
  const names = items.flatMap((node) => {
    const name = node.metadata?.name ?? "";
    return isServer(node) || lost.some(({ nodeName }) => nodeName === name) ? [name] : [];
  });
  for (const name of names) {
    if (name === survivor.nodeName) continue;
    const machine = lost.find(({ nodeName }) => nodeName === name);
    if (
      workers.some(({ nodeName }) => nodeName === name) ||
      (machine !== undefined && (await isWorkerAgain(cluster, machine)))
    ) {
      await demoteNode(cluster, name);
      continue;
    }
    progress(`deleting the Node ${name}`);
    await forgetNode(cluster, name, progress);
  }
}

/** The endpoint leads to the survivor and to nobody else, on every load balancer that answers. */
async function openEndpoint(
  cluster: LiveCluster,
  { survivor, lost, balancers, distribution, endpoint, identity }: RecoveryRequest,
  isOld: boolean,
  progress: Progress,
): Promise<void> {
  const answering: Machine[] = [];
  const access = { distribution, identity, peers: [survivor], endpoint };
  if (balancers === "external") {
    await enableServer(cluster, { ...access, machine: survivor, balancers }, progress);
    return;
  }
  for (const balancer of balancers === "servers" ? [survivor] : balancers) {
    try {
      // The token by which it asks k3s may be younger than the snapshot.
      if (isOld && distribution === "k3s") {
        const context = { verb: "update", previous: undefined, progress } as const;
        await readiness({ ...access, loadBalancers: [balancer] }, context);
      }
      await enableServer(
        cluster,
        { ...access, machine: survivor, balancers: [balancer] },
        progress,
      );
      answering.push(balancer);
    } catch (error) {
      progress(`warning: ${reasonOf(error)}`);
    }
  }
  for (const machine of lost) {
    await drainServer(cluster, { ...access, machine, balancers: answering }, progress);
  }
}
