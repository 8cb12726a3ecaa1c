import type { V1ConfigMap, V1Node, V1Pod } from "@kubernetes/client-node";
import * as z from "zod";
import { connect } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { type ActContext, defineAct } from "./act.ts";
import { uncordon } from "./cordon.ts";
import { clearDestroyMark, markDestroy } from "./destroyMark.ts";
import { endpointAddress } from "./endpointAddress.ts";
import { etcdMembers } from "./etcdMembers.ts";
import { lateSnapshots } from "./k3s/snapshots.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { enableServer } from "./loadBalancers.ts";
import { becomesOf, isReady, isServer, membershipOf } from "./nodes.ts";
import { verificationRequest, type VerificationRequest } from "./request.ts";
import { serversGate } from "./serversGate.ts";

const kubeletAnswer = z.object({ server: z.string() });

/**
 * What the cluster is at the end of a run, as the stack's outputs. Servers that the list no longer names leave after it:
 * they are shown as leaving, and not waited for. What a leave that was given up has left behind at a listed server is put
 * right. Its delete is the first of all and says that the whole stack goes.
 */
export const verification = defineAct(verificationRequest, async (request, context) => {
  if (context.verb === "delete") return await sayThatAllGoes(request, context);
  const cluster = await findLiveCluster(request, context.progress);
  try {
    await clearDestroyMark(cluster);
    await serversGate(cluster, request.servers, context.progress);
    await letServersServe(cluster, request, context);
    const members = await etcdMembers(cluster);
    const [nodes, stale, late] = await Promise.all([
      cluster.core.listNode(),
      stillAtOldAddress(cluster, request),
      // A datastore without members, as SQLite, has no snapshots.
      members.length === 0 ? [] : snapshotsThatAreLate(request),
    ]);
    const leaving = leaversOf(nodes.items, request.servers);
    for (const one of stale) context.progress(`still points to the old address: ${one}`);
    for (const one of late) context.progress(`warning: no recent snapshot of etcd: ${one}`);
    return {
      endpoint: `https://${endpointAddress(request.endpoint)}`,
      members: members
        .map(
          ({ name, role, peerAddress }) =>
            `${name} ${role} ${peerAddress}${leaving.get(name) ?? ""}`,
        )
        .sort(),
      nodes: nodes.items
        .map((node) => {
          const role = isServer(node) ? "server" : "worker";
          const version = node.status?.nodeInfo?.kubeletVersion;
          const { name = "" } = node.metadata ?? {};
          return `${name} ${role} ${version} ${isReady(node) ? "Ready" : "not Ready"}${leaving.get(name) ?? ""}`;
        })
        .sort(),
      stillAtOldAddress: stale,
      ...(request.snapshots === undefined ? {} : { lateSnapshots: late }),
    };
  } finally {
    cluster.close();
  }
});

/** A full destroy must go on where nobody can be told. */
async function sayThatAllGoes(
  request: VerificationRequest,
  { progress }: ActContext,
): Promise<object> {
  try {
    const cluster = await findLiveCluster(request, progress);
    try {
      await markDestroy(cluster);
    } finally {
      cluster.close();
    }
  } catch (error) {
    progress(`warning: ${error instanceof Error ? error.message : String(error)}`);
  }
  return {};
}

/**
 * A leave that was refused or given up may have left a listed server without clients: the list before had taken it out of
 * the load balancers, which know it again as one that waits.
 */
async function letServersServe(
  cluster: LiveCluster,
  request: VerificationRequest,
  { progress }: ActContext,
): Promise<void> {
  const { servers, peers, balancers } = request;
  for (const machine of peers.filter(({ nodeName }) => servers.includes(nodeName))) {
    await uncordon(cluster, machine, progress);
    if (balancers !== undefined) {
      await enableServer(cluster, { ...request, machine, balancers }, progress);
    }
  }
}

/** Servers with a membership that the list does not name, by the name of their Node, each with what happens to it. */
export function leaversOf(
  nodes: readonly V1Node[],
  servers: readonly string[],
): ReadonlyMap<string, string> {
  return new Map(
    nodes
      .filter((node) => isServer(node) && membershipOf(node) !== undefined)
      .filter(({ metadata }) => !servers.includes(metadata?.name ?? ""))
      .map((node) => [
        node.metadata?.name ?? "",
        becomesOf(node) === "worker" ? " (becomes a worker now)" : " (leaves now)",
      ]),
  );
}

async function snapshotsThatAreLate(request: VerificationRequest): Promise<string[]> {
  const { snapshots, servers, peers } = request;
  if (snapshots === undefined) return [];
  const machines = peers.filter(({ nodeName }) => servers.includes(nodeName));
  return await lateSnapshots(machines, request, snapshots);
}

/** Everything found that names the initial server's own address as the API's: it would fail with that server. */
async function stillAtOldAddress(
  cluster: LiveCluster,
  request: VerificationRequest,
): Promise<string[]> {
  const old = `${request.initialServer.address}:6443`;
  const [maps, pods, kubelets] = await Promise.all([
    cluster.core.listConfigMapForAllNamespaces(),
    cluster.core.listPodForAllNamespaces(),
    Promise.all(request.workers.map((worker) => kubeletOf(worker, request, old))),
  ]);
  return [
    ...kubelets.flat(),
    ...maps.items.filter((map) => mentions(map, old)).map((map) => `ConfigMap ${nameOf(map)}`),
    ...pods.items
      .filter((pod) => !isMirror(pod) && mentions(pod, old))
      .map((pod) => `Pod ${nameOf(pod)}`),
  ].sort();
}

async function kubeletOf(
  worker: VerificationRequest["workers"][number],
  { distribution, identity }: VerificationRequest,
  old: string,
): Promise<string[]> {
  try {
    const connection = await connect(worker, identity, 5_000);
    try {
      const answer = await runScript(connection, {
        script: `${distribution}-client.sh`,
        verb: "check",
      });
      return kubeletAnswer.parse(answer).server === `https://${old}`
        ? [`kubelet of ${worker.name}`]
        : [];
    } finally {
      connection.close();
    }
  } catch {
    return [`kubelet of ${worker.name}: unknown, it does not answer`];
  }
}

function mentions(object: V1ConfigMap | V1Pod, old: string): boolean {
  const { data, spec }: { data?: unknown; spec?: unknown } = { ...object };
  return JSON.stringify([data, spec]).includes(old);
}

/** A static pod speaks of its own server's address by right. */
function isMirror(pod: V1Pod): boolean {
  return pod.metadata?.annotations?.["kubernetes.io/config.mirror"] !== undefined;
}

function nameOf({ metadata }: V1ConfigMap | V1Pod): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}
