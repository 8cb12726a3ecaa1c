import * as z from "zod";
import { connect, SshError } from "../ssh/connection.ts";
import { type ActContext, ActError, defineAct } from "./act.ts";
import { endpointAddress } from "./endpointAddress.ts";
import { forgetNode } from "./forgetNode.ts";
import { withLease } from "./lease.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { becomesOf, isReady, isServer, markBecomes, readNode } from "./nodes.ts";
import { pointWorker } from "./pointWorker.ts";
import { reasonOf } from "./reasonOf.ts";
import { type WorkerRequest, workerRequest } from "./request.ts";

const answer = z.object({ stillServer: z.boolean() });

/**
 * A worker reaches the API by the endpoint. Workers move one by one, each is Ready again before the next. A machine that
 * is a server still, as it has just gone from one list to the other, is marked: its leaving, which comes later in the same
 * run, makes it a worker. Delete leaves it at the endpoint.
 */
export const worker = defineAct(workerRequest, async (request, context) => {
  const { machine, endpoint } = request;
  const { verb, progress } = context;
  if (verb === "delete") return await unmark(request, context);
  const cluster = await findLiveCluster(request, progress);
  try {
    if (request.gone) return await forgetGone(cluster, request, context);
    const node = await readNode(cluster, machine.nodeName);
    if (node === undefined) {
      throw new ActError(
        `the cluster has no Node ${machine.nodeName}`,
        `${machine.name} is listed as a worker, and only a worker of this cluster can be moved`,
        `join it with ${cluster.distribution.name} first, or take it off triad:workers`,
      );
    }
    const told = { worker: machine.name, endpoint: endpointAddress(endpoint) };
    if (isServer(node)) {
      progress(`${machine.name} is a server still: it becomes a worker when it leaves`);
      await markBecomes(cluster, machine.nodeName, "worker");
      return { ...told, stillServer: true };
    }
    if (!request.move) return { worker: machine.name };
    await withLease(cluster, `move ${machine.name}`, progress, () =>
      pointWorker(cluster, request, progress),
    );
    return told;
  } finally {
    cluster.close();
  }
});

/** Where the machine never left, as the lists were put back, it is not to become a worker when it leaves some day. */
async function unmark(request: WorkerRequest, { previous, progress }: ActContext): Promise<object> {
  if (answer.safeParse(previous).data?.stillServer !== true) return {};
  const { nodeName } = request.machine;
  try {
    const cluster = await findLiveCluster(request, progress);
    try {
      const node = await readNode(cluster, nodeName);
      if (isServer(node) && becomesOf(node) !== undefined) {
        await markBecomes(cluster, nodeName, null);
      }
    } finally {
      cluster.close();
    }
  } catch (error) {
    progress(`warning: ${reasonOf(error)}`);
  }
  return {};
}

/** The Node of a machine that is no more goes; one that lives keeps it. */
async function forgetGone(
  cluster: LiveCluster,
  { machine, identity }: WorkerRequest,
  { progress }: ActContext,
): Promise<object> {
  const node = await readNode(cluster, machine.nodeName);
  const told = { worker: machine.name, gone: true };
  if (node === undefined) return told;
  if (isServer(node) || isReady(node) || (await answers())) {
    throw new ActError(
      `${machine.name} is said to be gone, but ${isServer(node) ? "its Node is a server's" : "it lives"}`,
      "the Node of a machine that lives, and its pods with it, must not be deleted",
      `turn it off and wait until its Node is not Ready, or take machines.${machine.name}.gone away`,
    );
  }
  await forgetNode(cluster, machine.nodeName, progress);
  progress(`${machine.name} is gone from the cluster`);
  return told;

  async function answers(): Promise<boolean> {
    try {
      (await connect(machine, identity, 5_000)).close();
      return true;
    } catch (error) {
      if (error instanceof SshError) return error.kind === "credentials";
      throw error;
    }
  }
}
