import * as z from "zod";
import { connect, SshError } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import type { ActContext, Progress } from "./act.ts";
import { isBeingDestroyed, markDestroy } from "./destroyMark.ts";
import { etcdMembers } from "./etcdMembers.ts";
import { lastServer } from "./lastServer.ts";
import { withLeaseOf } from "./lease.ts";
import { LeaverMachine } from "./leaverMachine.ts";
import { leave } from "./leaving.ts";
import { findLiveCluster, type LiveCluster, NoLivingServer } from "./liveCluster.ts";
import { settleMachine } from "./machineLock.ts";
import type { MembershipAnswer } from "./membershipAnswer.ts";
import { readNode } from "./nodes.ts";
import { reasonOf } from "./reasonOf.ts";
import type { MembershipRequest } from "./request.ts";
import { unclear, whoseDelete } from "./whoseDelete.ts";

/**
 * The delete of a membership: its server leaves the cluster. One that was a server before Triad stays where the whole
 * stack is being destroyed, the last one stays in any case, unless it is to be wiped.
 *
 * @throws ActError when it may not leave; nothing is changed then, or what was changed is taken back
 */
export async function leaveServer(
  request: MembershipRequest,
  { progress }: ActContext,
  remembered: MembershipAnswer | undefined,
): Promise<object> {
  const { machine } = request;
  if (request.onDestroy === "forget") {
    progress(`${machine.name} is forgotten: it stays a server`);
    return {};
  }
  if (request.gone || remembered?.gone === true) {
    progress(`${machine.name} is gone, and out of the cluster already`);
    return {};
  }
  try {
    await leaveOthers(request, progress, remembered);
  } catch (error) {
    if (!(error instanceof NoLivingServer)) throw error;
    if (await revive(request, progress)) await leaveOthers(request, progress, remembered);
    else await lastServer(request, progress, remembered, error);
  }
  return {};
}

/** @throws NoLivingServer where there are no others that live */
async function leaveOthers(
  request: MembershipRequest,
  progress: Progress,
  remembered: MembershipAnswer | undefined,
): Promise<void> {
  const { machine, onDestroy } = request;
  const find = async (): Promise<LiveCluster> =>
    await findLiveCluster(request, progress, [machine.name]);
  if (remembered?.found === true && onDestroy === "leave" && (await wholeStackGoes(find))) {
    progress(
      `${machine.name} was a server before Triad knew it: as the whole stack is destroyed, it runs on`,
    );
    return;
  }
  await withLeaseOf(find, `leave ${machine.name}`, progress, (cluster) =>
    leaveIfOurs(cluster, request, remembered?.nonce, progress),
  );
}

/**
 * A server that had retired, and whose member was not removed yet, counts for the quorum: where it does not start again
 * after a power cut, of two voters the other one has no quorum, and of three it had better not lose another one.
 *
 * @returns whether it serves again
 */
async function revive(request: MembershipRequest, progress: Progress): Promise<boolean> {
  const { machine, identity } = request;
  try {
    const connection = await connect(machine, identity);
    try {
      await settleMachine(connection, progress);
      const leaver = new LeaverMachine(connection, request, undefined, progress);
      if (!(await leaver.state()).retired) return false;
      await leaver.stay();
      // One that is being cleaned, or wiped, stays out.
      if ((await leaver.state()).retired) return false;
      progress(
        `${machine.name} is started again: without it the others have no quorum to let it leave`,
      );
      return true;
    } finally {
      connection.close();
    }
  } catch (error) {
    progress(`warning: ${reasonOf(error)}`);
    return false;
  }
}

async function wholeStackGoes(find: () => Promise<LiveCluster>): Promise<boolean> {
  const cluster = await find();
  try {
    return await isBeingDestroyed(cluster);
  } finally {
    cluster.close();
  }
}

async function leaveIfOurs(
  cluster: LiveCluster,
  request: MembershipRequest,
  nonce: string | undefined,
  progress: Progress,
): Promise<void> {
  const { machine } = request;
  const allGoes = await isBeingDestroyed(cluster, 0);
  // Many servers take long to leave; the mark must not grow old meanwhile.
  if (allGoes) await markDestroy(cluster);
  const node = await readNode(cluster, machine.nodeName);
  const what = { node, dataMayGo: allGoes && request.onDestroy === "wipe" };
  const verdict = whoseDelete(machine, nonce, node, await etcdMembers(cluster));
  switch (verdict.is) {
    case "another":
      progress(`${verdict.seen}: nothing to do`);
      return;
    case "unclear":
      throw unclear(verdict.seen, machine.name);
    case "nobody":
      if (await isServerStill(request, progress)) await leave(cluster, request, what, progress);
      else progress(`${machine.name} has left already`);
      return;
    case "ours":
      await leave(cluster, request, what, progress);
  }
}

const observed = z.object({
  listeners: z.array(z.object({ port: z.number(), process: z.string() })),
});

/** Whether somebody listens where etcd and the API server do. HAProxy may have the API's port. */
export function runsServer({ listeners }: z.infer<typeof observed>): boolean {
  return listeners.some(
    ({ port, process }) => [2379, 2380, 6443].includes(port) && process !== "haproxy",
  );
}

/**
 * The cluster has neither Node nor member of it. Only one that had begun to leave is finished then: what else runs there
 * may be of another cluster by now. Where nothing runs, it is the rest of a join that failed: it is out already.
 */
async function isServerStill(request: MembershipRequest, progress: Progress): Promise<boolean> {
  const { machine, identity } = request;
  try {
    const connection = await connect(machine, identity);
    try {
      const { server, retired } = await new LeaverMachine(
        connection,
        request,
        request.becomes,
        progress,
      ).state();
      if (!server || retired) return server;
      const look = { script: "observe.sh", verb: "check" };
      if (!runsServer(observed.parse(await runScript(connection, look)))) {
        progress(
          `warning: ${machine.name} runs no server, and has files of one: the next join clears them`,
        );
        return false;
      }
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    progress(`warning: ${error.message}; the cluster knows nothing of it`);
    return false;
  }
  throw unclear(
    `${machine.name} runs a server, of which this cluster has neither a Node nor a member`,
    machine.name,
  );
}
