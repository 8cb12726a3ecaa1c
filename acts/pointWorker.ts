import * as z from "zod";
import { connect, type SshIdentity } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import type { Progress } from "./act.ts";
import { endpointAddress } from "./endpointAddress.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { isReady, readNode } from "./nodes.ts";
import type { Endpoint, Machine } from "./request.ts";

const ensured = z.object({ changed: z.boolean() });

/** A worker, and where it is to reach the API. */
export interface PointedWorker {
  readonly machine: Machine;
  readonly identity: SshIdentity;
  readonly endpoint: Endpoint;
  /** Unix time in seconds: an agent of k3s that has run for longer is restarted in any case. */
  readonly startedAfter?: number;
}

/**
 * Points a worker to the endpoint and waits until its Node is Ready by it; one that does not become Ready is put back.
 * Its caller holds the Lease.
 *
 * @throws ActError, ScriptError, SshError
 */
export async function pointWorker(
  cluster: LiveCluster,
  { machine, identity, endpoint, startedAfter }: PointedWorker,
  progress: Progress,
): Promise<void> {
  const script = `${cluster.distribution.name}-client.sh`;
  const variables = {
    ENDPOINT: endpointAddress(endpoint),
    STARTED_AFTER: startedAfter === undefined ? "" : String(startedAfter),
  };
  const connection = await connect(machine, identity);
  try {
    const before = await heartbeat(cluster, machine.nodeName);
    const answer = await runScript(connection, { script, verb: "ensure", variables }, (line) =>
      progress(`${machine.name}: ${line}`),
    );
    if (!ensured.parse(answer).changed) return;
    try {
      await readyAgain(cluster, machine.nodeName, before, progress);
    } catch (error) {
      await runScript(connection, { script, verb: "restore", variables });
      throw error;
    }
  } finally {
    connection.close();
  }
}

/**
 * Ready in a report made after the restart: the last one before it says Ready too.
 * @param before what {@link heartbeat} said then
 * @throws ActError after 2 minutes
 */
export async function readyAgain(
  cluster: LiveCluster,
  nodeName: string,
  before: string,
  progress: Progress,
): Promise<void> {
  await gate(
    async () => {
      const node = await readNode(cluster, nodeName);
      if (!isReady(node)) return { seen: "not Ready" };
      if ((await heartbeat(cluster, nodeName)) === before)
        return { seen: "no heartbeat through the endpoint yet" };
      return { found: node };
    },
    {
      what: `${nodeName} to be Ready through the endpoint`,
      limitMs: 120_000,
      why: "the next worker must not move before this one is back",
      cure: `see journalctl -u ${cluster.distribution.units.worker} on it, and that it reaches the endpoint`,
      progress,
    },
  );
}

/** kubelet renews its Node's Lease every 10 s. */
export async function heartbeat(cluster: LiveCluster, nodeName: string): Promise<string> {
  const lease = await cluster.coordination.readNamespacedLease({
    name: nodeName,
    namespace: "kube-node-lease",
  });
  return String(lease.spec?.renewTime);
}
