import { setTimeout as sleep } from "node:timers/promises";
import { ApiException } from "@kubernetes/client-node";
import * as z from "zod";
import { connect } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { etcdMembers } from "./etcdMembers.ts";
import { leaseHolder } from "./lease.ts";
import type { BoundVolume, LeaveFacts, Leaver, Replica } from "./leaveFaults.ts";
import { leaverState } from "./leaverMachine.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { becomesOf, membershipOf } from "./nodes.ts";
import { nodesOf } from "./volumeAffinity.ts";

/** What a look at the cluster is told besides who leaves. */
export interface FactsOptions {
  /** The cluster's version, of which removing members may be broken. */
  readonly version?: string | undefined;
  /** Whether we hold the Lease ourselves: then nobody else's act is under way. */
  readonly leaseIsOurs?: boolean;
}

/** Gathers what must be known to say whether servers may leave; it changes nothing. */
export async function leaveFacts(
  cluster: LiveCluster,
  leavers: readonly Leaver[],
  { version, leaseIsOurs = false }: FactsOptions = {},
): Promise<LeaveFacts> {
  const [members, nodes, volumes, replicas, holder, again] = await Promise.all([
    etcdMembers(cluster),
    cluster.core.listNode(),
    cluster.core.listPersistentVolume(),
    longhornReplicas(cluster),
    leaseIsOurs ? undefined : leaseHolder(cluster),
    Promise.all(leavers.map((leaver) => isWorkerAgain(cluster, leaver))),
  ]);
  const named = (holdsFor: (node: (typeof nodes.items)[number]) => boolean): string[] =>
    nodes.items.filter(holdsFor).map(({ metadata }) => metadata?.name ?? "");
  return {
    members,
    marked: named((node) => membershipOf(node) !== undefined),
    staying: [
      ...named((node) => becomesOf(node) === "worker"),
      ...leavers.filter((_leaver, index) => again[index]).map(({ nodeName }) => nodeName),
    ],
    underWay: holder,
    removalCure: version === undefined ? undefined : cluster.distribution.cureOfRemoval(version),
    volumes: volumes.items.flatMap((volume): BoundVolume[] => {
      const { claimRef } = volume.spec ?? {};
      const usable = nodesOf(volume, nodes.items);
      // One that nobody has claimed holds nobody's data.
      if (claimRef === undefined || usable === undefined) return [];
      const claim = `${claimRef.namespace}/${claimRef.name}`;
      return [{ name: volume.metadata?.name ?? "", claim, nodes: usable }];
    }),
    replicas,
  };
}

/** An agent that was promoted is an agent again, with its volumes. One that does not answer is not known to be. */
export async function isWorkerAgain({ access }: LiveCluster, leaver: Leaver): Promise<boolean> {
  if (leaver.becomes === "worker") return true;
  try {
    const connection = await connect(leaver, access.identity, 5_000);
    try {
      const script = `${access.distribution}-leave.sh`;
      return leaverState.parse(await runScript(connection, { script, verb: "check" })).worker;
    } finally {
      connection.close();
    }
  } catch {
    return false;
  }
}

const replicaList = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        volumeName: z.string(),
        nodeID: z.string().default(""),
        failedAt: z.string().default(""),
        healthyAt: z.string().default(""),
      }),
    }),
  ),
});

/** How often Longhorn's replicas are asked for, once a second, while the API server makes their storage ready. */
const attempts = 10;

/** None where the cluster has no Longhorn. */
async function longhornReplicas({ custom }: LiveCluster): Promise<Replica[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer: unknown = await custom.listNamespacedCustomObject({
        group: "longhorn.io",
        version: "v1beta2",
        namespace: "longhorn-system",
        plural: "replicas",
      });
      return replicaList.parse(answer).items.map(({ spec }) => ({
        volume: spec.volumeName,
        node: spec.nodeID,
        healthy: spec.failedAt === "" && spec.healthyAt !== "",
      }));
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) return [];
      // A kind that is some seconds old answers so.
      const soon = error instanceof ApiException && error.code === 429;
      if (!soon || attempt === attempts) throw error;
      await sleep(1_000);
    }
  }
}
