import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiException, type V1Lease, V1MicroTime } from "@kubernetes/client-node";
import { ActError, type Progress } from "./act.ts";
import type { LiveCluster } from "./liveCluster.ts";

const name = "triad";
const namespace = "kube-system";
const leaseDurationSeconds = 30;
const renewEveryMs = 5_000;
const acquireLimitMs = 20 * 60_000;
const actAnnotation = "triad.dev/act";

/**
 * Runs one disruptive act on the control plane while holding the cluster's Lease, so that there is never
 * a second one, from this run or another operator's.
 *
 * @throws ActError when the Lease is not free within 20 minutes; whatever the body throws
 */
export async function withLease<Result>(
  cluster: LiveCluster,
  act: string,
  progress: Progress,
  body: () => Promise<Result>,
): Promise<Result> {
  const holder = `${userInfo().username}@${hostname()}/${randomUUID().slice(0, 8)}`;
  await acquire(cluster, holder, act, progress);
  const renewal = setInterval(() => {
    // A renewal that fails is tried again in 5 s; the act may itself take the API away for a moment.
    change(cluster, (lease) => hold(lease, holder, act)).catch(() => undefined);
  }, renewEveryMs);
  try {
    return await body();
  } finally {
    clearInterval(renewal);
    // What the act did or failed to do stands; an unreleased Lease runs out by itself.
    await release(cluster).catch(() => undefined);
  }
}

async function acquire(
  cluster: LiveCluster,
  holder: string,
  act: string,
  progress: Progress,
): Promise<void> {
  const deadline = Date.now() + acquireLimitMs;
  // Whether a holder is dead is judged by whether its Lease changes under our own clock: clocks differ.
  let seen = { version: "", since: Date.now() };
  let told = "";
  for (;;) {
    const lease = await read(cluster).catch((error: unknown) => {
      if (told === "" || !isAway(error) || Date.now() > deadline) throw error;
      return "away" as const;
    });
    if (lease === "away") {
      // The act that is waited for may take the API away: its Lease can't be renewed then, and does not run out.
      seen = { version: "", since: Date.now() };
      await sleep(500);
      continue;
    }
    const version = lease?.metadata?.resourceVersion ?? "";
    if (version !== seen.version) seen = { version, since: Date.now() };
    const other = lease?.spec?.holderIdentity || undefined;
    const expired = Date.now() - seen.since > leaseDurationSeconds * 1_000;
    if (other === undefined || other === holder || expired) {
      if (expired && other !== undefined)
        progress(`taking over from ${other}, which no longer renews its Lease`);
      if (await tryHold(cluster, lease, holder, act)) return;
      continue;
    }
    const doing = `${other}: ${lease?.metadata?.annotations?.[actAnnotation] ?? "unknown act"}`;
    if (Date.now() > deadline) {
      throw new ActError(
        `the Lease ${namespace}/${name} is still held by ${doing}`,
        "only one disruptive act may run on the control plane at a time",
        "wait for that run to end, then run pulumi up again",
      );
    }
    if (doing !== told) progress(`waiting for ${doing}`);
    told = doing;
    await sleep(500);
  }
}

/** No answer at all, or one of an API server that is not whole yet. */
function isAway(error: unknown): boolean {
  return !(error instanceof ApiException) || error.code >= 500;
}

async function tryHold(
  cluster: LiveCluster,
  lease: V1Lease | undefined,
  holder: string,
  act: string,
): Promise<boolean> {
  try {
    if (lease === undefined) {
      const body = hold({ metadata: { name, namespace } }, holder, act);
      await cluster.coordination.createNamespacedLease({ namespace, body });
    } else {
      const body = hold(lease, holder, act);
      await cluster.coordination.replaceNamespacedLease({ name, namespace, body });
    }
    return true;
  } catch (error) {
    if (error instanceof ApiException && error.code === 409) return false;
    throw error;
  }
}

function hold(lease: V1Lease, holder: string, act: string): V1Lease {
  return {
    ...lease,
    metadata: {
      ...lease.metadata,
      annotations: { ...lease.metadata?.annotations, [actAnnotation]: act },
    },
    spec: { holderIdentity: holder, leaseDurationSeconds, renewTime: new V1MicroTime() },
  };
}

async function release(cluster: LiveCluster): Promise<void> {
  await change(cluster, (lease) => {
    const { [actAnnotation]: _ended, ...annotations } = lease.metadata?.annotations ?? {};
    return {
      ...lease,
      metadata: { ...lease.metadata, annotations },
      spec: { leaseDurationSeconds, renewTime: new V1MicroTime() },
    };
  });
}

async function change(cluster: LiveCluster, mutate: (lease: V1Lease) => V1Lease): Promise<void> {
  const lease = await read(cluster);
  if (lease === undefined) return;
  await cluster.coordination.replaceNamespacedLease({ name, namespace, body: mutate(lease) });
}

async function read(cluster: LiveCluster): Promise<V1Lease | undefined> {
  try {
    return await cluster.coordination.readNamespacedLease({ name, namespace });
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  }
}
