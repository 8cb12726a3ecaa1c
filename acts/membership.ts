import { randomUUID } from "node:crypto";
import * as z from "zod";
import { connect } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { type ActContext, defineAct } from "./act.ts";
import { joinServer } from "./joinServer.ts";
import { leaveServer } from "./leaveServer.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { enableServer } from "./loadBalancers.ts";
import { markMembership, membershipOf, readNode } from "./nodes.ts";
import { membershipRequest, type MembershipRequest } from "./request.ts";
import { isHealthyServer, wholeServer } from "./serverHealth.ts";

const answer = z.object({
  nonce: z.string(),
  /** Whether this machine was a server before Triad knew it. */
  found: z.boolean(),
});

const joinAnswer = z.object({ joined: z.boolean() });

/**
 * One machine is a server: a voter of etcd with a running control plane, in use by the load balancers. Create joins it
 * or, where it already is one, takes note of it; delete lets it leave.
 */
export const membership = defineAct(membershipRequest, async (request, context) => {
  const previous = answer.safeParse(context.previous).data;
  if (context.verb === "delete") return await leaveServer(request, context, previous);
  const cluster = await findLiveCluster(request, context.progress);
  try {
    const found = await becomeServer(cluster, request, context);
    return await settle(cluster, request, context, previous ?? { nonce: randomUUID(), found });
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
  if (!(await isHealthyServer(cluster, request.machine))) {
    await joinServer(cluster, request, context);
    return false;
  }
  const connection = await connect(request.machine, request.identity);
  try {
    await cluster.distribution.adjust(cluster, connection, request, context);
    await wholeServer(cluster, request.machine, context.progress);
    const check = { script: `${cluster.distribution.name}-join.sh`, verb: "check" };
    return !joinAnswer.parse(await runScript(connection, check)).joined;
  } finally {
    connection.close();
  }
}

/** A membership found again keeps the nonce on its Node: it may be known to another stack's state. */
async function settle(
  cluster: LiveCluster,
  request: MembershipRequest,
  { progress }: ActContext,
  remembered: z.infer<typeof answer>,
): Promise<object> {
  const { machine } = request;
  const marked = membershipOf(await readNode(cluster, machine.nodeName));
  const nonce = remembered.found && marked !== undefined ? marked : remembered.nonce;
  if (marked !== nonce) await markMembership(cluster, machine.nodeName, nonce);
  await enableServer(cluster, request, progress);
  progress(`${machine.name} is a server`);
  return { server: machine.name, nonce, found: remembered.found };
}
