import { randomUUID } from "node:crypto";
import * as z from "zod";
import { connect, type SshConnection } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { type ActContext, defineAct } from "./act.ts";
import { uncordon } from "./cordon.ts";
import { clearDestroyMark } from "./destroyMark.ts";
import { isMember } from "./etcdMembers.ts";
import { goneServer } from "./goneServer.ts";
import { joinServer } from "./joinServer.ts";
import { withLease } from "./lease.ts";
import { leaveServer } from "./leaveServer.ts";
import { LeaverMachine } from "./leaverMachine.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { enableServer } from "./loadBalancers.ts";
import { settleMachine } from "./machineLock.ts";
import { type MembershipAnswer, membershipAnswer } from "./membershipAnswer.ts";
import { markMembership, membershipOf, readNode } from "./nodes.ts";
import { membershipRequest, type MembershipRequest } from "./request.ts";
import { isHealthyServer, wholeServer } from "./serverHealth.ts";

const joinAnswer = z.object({ joined: z.boolean() });

/**
 * One machine is a server: a voter of etcd with a running control plane, in use by the load balancers. Create joins it
 * or, where it already is one, takes note of it; delete lets it leave. One whose machine is no more is taken out of the
 * cluster by create or update, and its delete has nothing left to do.
 */
export const membership = defineAct(membershipRequest, async (request, context) => {
  const previous = membershipAnswer.safeParse(context.previous).data;
  if (context.verb === "delete") return await leaveServer(request, context, previous);
  // Create always mints: the delete of whatever this replaces runs afterwards, and must not find its own nonce.
  const nonce = (context.verb === "update" ? previous?.nonce : undefined) ?? randomUUID();
  if (request.gone) {
    await goneServer(request, context);
    return { server: request.machine.name, nonce, found: false, gone: true };
  }
  const cluster = await findLiveCluster(request, context.progress);
  try {
    await clearDestroyMark(cluster);
    const wasThere = await becomeServer(cluster, request, context);
    // What was found and has been made anew since, by us, is not what was found.
    const found = wasThere && previous?.found !== false && previous?.gone !== true;
    return await settle(cluster, request, context, { nonce, found });
  } finally {
    cluster.close();
  }
});

/** @returns whether it was one before Triad: a join that outlived a killed run does not count as found */
async function becomeServer(
  cluster: LiveCluster,
  request: MembershipRequest,
  context: ActContext,
): Promise<boolean> {
  const connection = await connect(request.machine, request.identity);
  try {
    await stayIfLeaving(cluster, connection, request, context);
    if (!(await isHealthyServer(cluster, request.machine))) {
      await joinServer(cluster, request, context);
      return false;
    }
    await cluster.distribution.adjust(cluster, connection, request, context);
    await wholeServer(cluster, request.machine, context.progress);
    const check = { script: `${cluster.distribution.name}-join.sh`, verb: "check" };
    return !joinAnswer.parse(await runScript(connection, check)).joined;
  } finally {
    connection.close();
  }
}

/** A leave that was cut off, and is not wanted any more, is taken back as long as the member is in the list. */
async function stayIfLeaving(
  cluster: LiveCluster,
  connection: SshConnection,
  request: MembershipRequest,
  { progress }: ActContext,
): Promise<void> {
  const { machine } = request;
  const leaver = new LeaverMachine(connection, request, undefined, progress);
  if (!(await leaver.state()).retired) return;
  // Under the Lease: somebody else may be letting it leave at this moment.
  await withLease(cluster, `keep ${machine.name}`, progress, async () => {
    await settleMachine(connection, progress);
    if (!(await leaver.state()).retired) return;
    if (!(await isMember(cluster, machine))) return;
    progress(`${machine.name} had begun to leave: it stays`);
    await leaver.stay();
    await wholeServer(cluster, machine, progress);
  });
}

async function settle(
  cluster: LiveCluster,
  request: MembershipRequest,
  { progress }: ActContext,
  { nonce, found }: MembershipAnswer,
): Promise<MembershipAnswer> {
  const { machine } = request;
  await uncordon(cluster, machine, progress);
  await enableServer(cluster, request, progress);
  // Last: a create that fails is run again, and the state still remembers the one before it.
  const marked = membershipOf(await readNode(cluster, machine.nodeName));
  if (marked !== nonce) await markMembership(cluster, machine.nodeName, nonce);
  progress(`${machine.name} is a server`);
  return { server: machine.name, nonce, found };
}
