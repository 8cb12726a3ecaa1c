import { connect, type SshIdentity } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import type { Progress } from "./act.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { isReady, isServer } from "./nodes.ts";
import { expectOthersReached, expectReached } from "./external/gates.ts";
import { watchStop } from "./external/watchStop.ts";
import { reasonOf } from "./reasonOf.ts";
import type { Access, Balancers, Endpoint, Machine } from "./request.ts";

/** A server and who balances between the servers. */
export interface Balanced extends Access {
  readonly machine: Machine;
  readonly balancers: Balancers;
  readonly endpoint: Endpoint;
  /** Whether the machine is no more, and its load balancer with it. */
  readonly gone?: boolean;
}

/**
 * The machines with HAProxy. Where these are the servers themselves they are found by looking, so that a longer list
 * changes no other server's request: all that are servers now, and the one that is about to be, or to leave.
 */
export async function balancersOf(
  cluster: LiveCluster,
  { machine, balancers, peers, gone = false }: Balanced,
  progress: Progress,
): Promise<readonly Machine[]> {
  if (balancers === "external") return [];
  if (balancers !== "servers") return balancers;
  const servers = (await cluster.core.listNode()).items.filter(isServer);
  return peers.filter((peer) => {
    if (peer.name === machine.name) return !gone;
    const node = servers.find(({ metadata }) => metadata?.name === peer.nodeName);
    if (node === undefined || isReady(node)) return node !== undefined;
    progress(`warning: ${peer.name} is not Ready, its load balancer is told at its next change`);
    return false;
  });
}

/**
 * Lets a server have clients, on every load balancer; waits there until its readiness check says so. Where somebody else
 * balances, it is looked whether it has them.
 *
 * @throws SshError, ScriptError when one cannot be told: it would leave the server out
 */
export async function enableServer(
  cluster: LiveCluster,
  request: Balanced,
  progress: Progress,
): Promise<void> {
  const { machine, identity } = request;
  if (request.balancers === "external") {
    await expectReached(request, progress);
    return;
  }
  const balancers = await balancersOf(cluster, request, progress);
  if (request.balancers !== "servers") {
    await Promise.all(balancers.map((one) => tell(one, identity, "enable", machine, progress)));
    return;
  }
  await tell(machine, identity, "enable", machine, progress);
  // Of servers on their way out others do not know any more, nor do they know of those who come.
  const others = balancers.filter(({ name }) => name !== machine.name);
  await Promise.all(others.map((one) => tell(one, identity, "introduce", machine, progress)));
  // Its own load balancer was there before it: those who joined meanwhile were not introduced to that one.
  for (const other of others) {
    try {
      await tell(machine, identity, "introduce", other, progress);
    } catch (error) {
      // Its own membership waits for it. A machine that was put in a dead one's place may not have joined yet.
      progress(`warning: ${reasonOf(error)}`);
    }
  }
}

/**
 * Takes a server's new connections away, on every load balancer that answers; one that is off sends it none. Where somebody
 * else balances nobody can: the server itself says that it ends, and goes on meanwhile (`shutdown-delay-duration`).
 *
 * @throws ActError where somebody else balances, and leads to this server alone
 */
export async function drainServer(
  cluster: LiveCluster,
  request: Balanced,
  progress: Progress,
): Promise<void> {
  if (request.balancers === "external") {
    if (request.gone !== true) await expectOthersReached(request, progress);
    return;
  }
  const balancers = await balancersOf(cluster, request, progress);
  const results = await Promise.allSettled(
    balancers.map((one) => tell(one, request.identity, "drain", request.machine, progress)),
  );
  for (const result of results) {
    if (result.status === "rejected") progress(`warning: ${String(result.reason)}`);
  }
}

/** Stops a server that was drained; where nobody could drain it, with an eye on what its clients see. */
export async function stopDrained<Answer>(
  request: Balanced,
  progress: Progress,
  stop: () => Promise<Answer>,
): Promise<Answer> {
  return request.balancers === "external" ? await watchStop(request, progress, stop) : await stop();
}

async function tell(
  machine: Machine,
  identity: SshIdentity,
  verb: "enable" | "introduce" | "drain",
  server: Machine,
  progress: Progress,
): Promise<void> {
  const connection = await connect(machine, identity);
  try {
    await runScript(
      connection,
      { script: "haproxy.sh", verb, variables: { SERVER: server.name } },
      (line) => progress(`${machine.name}: ${line}`),
    );
  } finally {
    connection.close();
  }
}
