import type { V1ConfigMap, V1Node, V1Pod } from "@kubernetes/client-node";
import * as z from "zod";
import { connect } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import type { Progress } from "./act.ts";
import { endpointAddress } from "./endpointAddress.ts";
import { etcdMembers } from "./etcdMembers.ts";
import { type EndpointVerdict, verifyEndpoint } from "./external/verifyEndpoint.ts";
import { lateSnapshots } from "./k3s/snapshots.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { becomesOf, isReady, isServer, membershipOf } from "./nodes.ts";
import type { VerificationRequest } from "./request.ts";

const kubeletAnswer = z.object({ server: z.string() });

/** What a cluster is, as the stack's output. */
export interface ClusterFound {
  /** Of an endpoint that somebody else balances. */
  readonly throughEndpoint?: EndpointVerdict;
  readonly [more: string]: unknown;
}

/**
 * Says what a cluster is, and changes nothing: members, nodes, versions, what still names the old address. Servers that
 * the list no longer names leave later in the same run: they are no members here any more, and their Nodes say so.
 */
export async function lookAtCluster(
  cluster: LiveCluster,
  request: VerificationRequest,
  progress: Progress,
): Promise<ClusterFound> {
  const members = await etcdMembers(cluster);
  const [nodes, stale, late] = await Promise.all([
    cluster.core.listNode(),
    stillAtOldAddress(cluster, request),
    // A datastore without members, as SQLite, has no snapshots.
    members.length === 0 ? [] : snapshotsThatAreLate(request),
  ]);
  const leaving = leaversOf(nodes.items, request.servers);
  const external = request.balancers === "external" ? await verifyEndpoint(request) : undefined;
  for (const one of external?.faults ?? []) progress(`warning: ${one}`);
  for (const one of stale) progress(`still points to the old address: ${one}`);
  for (const one of late) progress(`warning: no recent snapshot of etcd: ${one}`);
  return {
    endpoint: `https://${endpointAddress(request.endpoint)}`,
    members: members
      .filter(({ name }) => !leaving.has(name))
      .map(({ name, role, peerAddress }) => `${name} ${role} ${peerAddress}`)
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
    ...(external === undefined ? {} : { throughEndpoint: external }),
    ...(request.snapshots === undefined ? {} : { lateSnapshots: late }),
  };
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
