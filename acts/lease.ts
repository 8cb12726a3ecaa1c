import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiException, type V1Lease, V1MicroTime } from "@kubernetes/client-node";
import { ActError, type Progress } from "./act.ts";
import type { LiveCluster } from "./liveCluster.ts";

/** The Lease whose holder alone changes the cluster. */
export const leaseName = "triad";
/** Where it lies. */
export const leaseNamespace = "kube-system";
const name = leaseName;
const namespace = leaseNamespace;
const leaseDurationSeconds = 30;
const renewEveryMs = 5_000;
const acquireLimitMs = 20 * 60_000;
const patienceMs = 10_000;
const actAnnotation = "triad.dev/act";

/** The server through which the Lease was looked at does not answer any more: it may be the one that leaves. */
export class LeaseOutOfSight extends Error {}

/**
 * Runs one disruptive act on the control plane while holding the cluster's Lease, so that there is never
 * a second one, from this run or another operator's.
 *
 * @param patienceMs how long the API may be away while the Lease is waited for: an act that takes the only API away ends
 * @throws ActError when the Lease is not free within 20 minutes; LeaseOutOfSight; whatever the body throws
 */
export async function withLease<Result>(
  cluster: LiveCluster,
  act: string,
  progress: Progress,
  body: () => Promise<Result>,
  patienceMs = Infinity,
): Promise<Result> {
  const holder = `${userInfo().username}@${hostname()}/${randomUUID().slice(0, 8)}`;
  await acquire(cluster, holder, act, progress, patienceMs);
  const renewal = setInterval(() => {
    // A renewal that fails is tried again in 5 s; the act may itself take the API away for a moment.
    change(cluster, holder, (lease) => hold(lease, holder, act)).catch(() => undefined);
  }, renewEveryMs);
  try {
    return await body();
  } finally {
    clearInterval(renewal);
    // What the act did or failed to do stands; an unreleased Lease runs out by itself.
    await release(cluster, holder).catch(() => undefined);
  }
}

/**
 * The same where several servers may leave at once: the one through which the Lease is waited for may be the next that
 * goes, then another one is looked for.
 */
export async function withLeaseOf<Result>(
  find: () => Promise<LiveCluster>,
  act: string,
  progress: Progress,
  body: (cluster: LiveCluster) => Promise<Result>,
): Promise<Result> {
  const deadline = Date.now() + acquireLimitMs;
  for (;;) {
    const cluster = await find();
    try {
      return await withLease(cluster, act, progress, () => body(cluster), patienceMs);
    } catch (error) {
      if (!(error instanceof LeaseOutOfSight) || Date.now() > deadline) throw error;
    } finally {
      cluster.close();
    }
  }
}

/**
 * Who holds the Lease and what for; undefined where nobody does, or nobody who lives: a holder that was killed renews it no
 * more, and the run that goes on from there must not be told to wait.
 *
 * @param watchMs how long a renewal is looked for, in ms; two intervals unless told
 */
export async function leaseHolder(
  cluster: LiveCluster,
  watchMs = 2 * renewEveryMs + 1_000,
): Promise<string | undefined> {
  const renewedAt = (one: V1Lease | undefined): number =>
    new Date(one?.spec?.renewTime ?? 0).getTime();
  let lease = await read(cluster);
  const before = renewedAt(lease);
  const deadline = Date.now() + watchMs;
  for (;;) {
    const holder = lease?.spec?.holderIdentity || undefined;
    // Clocks differ; a Lease that has run out is taken over by whoever wants it.
    const age = Math.abs(Date.now() - renewedAt(lease));
    if (holder === undefined || age > 2_000 * leaseDurationSeconds) return undefined;
    if (renewedAt(lease) !== before) return describeHolder(holder, lease);
    if (Date.now() > deadline) return undefined;
    await sleep(watchMs / 20);
    lease = await read(cluster);
  }
}

function describeHolder(holder: string, lease: V1Lease | undefined): string {
  return `${holder}: ${lease?.metadata?.annotations?.[actAnnotation] ?? "unknown act"}`;
}

async function acquire(
  cluster: LiveCluster,
  holder: string,
  act: string,
  progress: Progress,
  patienceMs: number,
): Promise<void> {
  const deadline = Date.now() + acquireLimitMs;
  let answered = Date.now();
  // Whether a holder is dead is judged by whether its Lease changes under our own clock: clocks differ.
  let seen = { version: "", since: Date.now() };
  let told = "";
  for (;;) {
    const lease = await read(cluster).catch((error: unknown) => {
      if (isAway(error) && Date.now() - answered > patienceMs) throw new LeaseOutOfSight();
      if ((told === "" && patienceMs === Infinity) || !isAway(error) || Date.now() > deadline) {
        throw error;
      }
      return "away" as const;
    });
    if (lease === "away") {
      // The act that is waited for may take the API away: its Lease can't be renewed then, and does not run out.
      seen = { version: "", since: Date.now() };
      await sleep(500);
      continue;
    }
    answered = Date.now();
    const version = lease?.metadata?.resourceVersion ?? "";
    if (version !== seen.version) seen = { version, since: Date.now() };
    const other = lease?.spec?.holderIdentity || undefined;
    const expired = Date.now() - seen.since > leaseDurationSeconds * 1_000;
    if (other === undefined || other === holder || expired) {
      if (expired && other !== undefined)
        progress(`taking over from ${other}, which no longer renews its Lease`);
      if (await tryHold(cluster, lease, holder, act)) return;
      if (Date.now() < deadline) {
        await sleep(100);
        continue;
      }
    }
    const doing = describeHolder(other ?? "somebody else", lease);
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
    // Somebody was faster, or nobody knows whether it was heard: the next look tells.
    if ((error instanceof ApiException && error.code === 409) || isAway(error)) return false;
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

async function release(cluster: LiveCluster, holder: string): Promise<void> {
  await change(cluster, holder, (lease) => {
    const { [actAnnotation]: _ended, ...annotations } = lease.metadata?.annotations ?? {};
    return {
      ...lease,
      metadata: { ...lease.metadata, annotations },
      spec: { leaseDurationSeconds, renewTime: new V1MicroTime() },
    };
  });
}

/** Changes the Lease as long as it is the holder's: one that has been taken over is not taken back. */
async function change(
  cluster: LiveCluster,
  holder: string,
  mutate: (lease: V1Lease) => V1Lease,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const lease = await read(cluster);
    if (lease?.spec?.holderIdentity !== holder) return;
    try {
      await cluster.coordination.replaceNamespacedLease({ name, namespace, body: mutate(lease) });
      return;
    } catch (error) {
      // Somebody has marked it meanwhile, as destroyMark.ts does.
      if (!(error instanceof ApiException && error.code === 409) || attempt === 5) throw error;
    }
  }
}

async function read(cluster: LiveCluster): Promise<V1Lease | undefined> {
  try {
    return await cluster.coordination.readNamespacedLease({ name, namespace });
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  }
}
