import { createHash } from "node:crypto";
import * as z from "zod";
import { type ActContext, ActError, defineAct, type Progress } from "../act.ts";
import { withLease } from "../lease.ts";
import { findLiveCluster, type LiveCluster, NoLivingServer } from "../liveCluster.ts";
import { isServer, readNode } from "../nodes.ts";
import { checkpointsRequest, type CheckpointsRequest } from "../request.ts";
import { forgetOld, guestOf } from "./retention.ts";
import { takeCheckpoint } from "./take.ts";
import { tokenVariable } from "./tokenVariable.ts";

const answered = z.object({ change: z.string() });

/**
 * Before the control plane is changed, the disks of each server that is a virtual machine are kept as they are, by Proxmox:
 * one server after the other, under the Lease, and never etcd's leader while it leads. Where nothing but the number of
 * those that are kept has changed, none is taken. Deleting it does nothing: what was kept stays.
 */
export const checkpoints = defineAct(checkpointsRequest, async (request, context) => {
  if (context.verb === "delete") return {};
  const change = digest(request.change);
  const before = answered.safeParse(context.previous).data;
  const token = tokenOf(process.env);
  const isNew = context.verb === "create" || before?.change !== change;
  const taken = isNew ? await takeAll(request, token, context) : {};
  for (const guest of request.guests) await forgetOld(request, guest, token, context.progress);
  return { change, taken };
});

async function takeAll(
  request: CheckpointsRequest,
  token: string,
  { progress }: ActContext,
): Promise<Record<string, string>> {
  const taken: Record<string, string> = {};
  for (const entry of request.guests) {
    // Found anew for each: who pauses for long loses the connections to him.
    const cluster = await findLiveCluster(request, progress).catch((error: unknown) => {
      // Where there is none yet, what comes next says whether there may be one.
      if (!(error instanceof NoLivingServer) || entry !== request.guests[0]) throw error;
      progress("no server lives: there is nothing that a checkpoint would keep whole");
      return undefined;
    });
    if (cluster === undefined) break;
    try {
      const name = await takeOne(cluster, request, entry, token, progress);
      if (name !== undefined) taken[entry.machine.name] = name;
    } finally {
      cluster.close();
    }
  }
  return taken;
}

async function takeOne(
  cluster: LiveCluster,
  request: CheckpointsRequest,
  entry: CheckpointsRequest["guests"][number],
  token: string,
  progress: Progress,
): Promise<string | undefined> {
  const { machine, vmId } = entry;
  // It may not have been created yet.
  if (!isServer(await readNode(cluster, machine.nodeName))) {
    progress(`${machine.name} is no server yet: it has nothing to go back to`);
    return undefined;
  }
  const guest = await guestOf(request, vmId, token);
  return await withLease(cluster, `checkpoint ${machine.name}`, progress, async () => {
    const name = await takeCheckpoint({ cluster, request, machine, guest, progress });
    // Some storages make the machine wait while they forget one: it leads nobody now.
    if (name !== undefined) await forgetOld(request, entry, token, progress);
    return name;
  });
}

function digest(change: CheckpointsRequest["change"]): string {
  return createHash("sha256").update(JSON.stringify(change)).digest("hex");
}

function tokenOf(environment: NodeJS.ProcessEnv): string {
  const token = environment[tokenVariable];
  if (token) return token;
  throw new ActError(
    `the variable ${tokenVariable} is missing`,
    "Proxmox's API is asked by nobody without it",
    "set triad:proxmoxToken, and run pulumi up",
  );
}
