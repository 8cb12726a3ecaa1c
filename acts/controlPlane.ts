import * as z from "zod";
import { connect, SshError } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { type ActContext, ActError, defineAct } from "./act.ts";
import { distributionOf } from "./distribution.ts";
import { endpointAddress } from "./endpointAddress.ts";
import { findLiveCluster } from "./liveCluster.ts";
import { controlPlaneRequest, type ControlPlaneRequest, type Machine } from "./request.ts";

const observed = z.object({
  adminConf: z.boolean(),
  etcdData: z.boolean(),
  k3s: z.object({ role: z.string(), datastore: z.string() }),
});

/**
 * The cluster exists and others can join it by its endpoint. A living cluster is adopted, and converted where it is
 * to have more than one server and its datastore can't; a new one is created only where the config allows it and no
 * machine holds a server's data. Deleting it does nothing: forgetting a cluster must not end it.
 */
export const controlPlane = defineAct(controlPlaneRequest, async (request, context) => {
  if (context.verb === "delete") return {};
  if (await holdsServerData(request)) await adopt(request, context);
  else await initialise(request, context);
  return { endpoint: endpointAddress(request.endpoint), flags: request.flags };
});

async function adopt(request: ControlPlaneRequest, context: ActContext): Promise<void> {
  const cluster = await findLiveCluster(request, context.progress);
  try {
    await cluster.distribution.adopt(cluster, request, context);
  } finally {
    cluster.close();
  }
}

async function initialise(request: ControlPlaneRequest, { progress }: ActContext): Promise<void> {
  const { initialServer } = request;
  if (initialServer === undefined) {
    throw new ActError(
      "no server was found, and none is named that may make a new cluster",
      "a new cluster is created only when told",
      "set triad:initialise to true and run pulumi up again",
    );
  }
  const connection = await connect(initialServer, request.identity);
  try {
    const told = { ...request, initialServer };
    await distributionOf(request.distribution).initialise(connection, told, progress);
  } finally {
    connection.close();
  }
}

/** Whether any listed or described machine is, or was, a server: then nothing new may be created. */
async function holdsServerData(request: ControlPlaneRequest): Promise<boolean> {
  const peers = request.peers.filter(({ name }) => request.absent?.includes(name) !== true);
  const looks = await Promise.allSettled(peers.map((peer) => lookAt(peer, request)));
  const silent = looks.flatMap((look) => (look.status === "rejected" ? [String(look.reason)] : []));
  const holds = looks.some((look) => look.status === "fulfilled" && look.value);
  if (!holds && silent.length > 0) {
    throw new ActError(
      `no server was found, and not every machine answers:\n    ${silent.join("\n    ")}`,
      "a silent machine may hold the cluster, and a second one must not be created beside it",
      "start the machines named above, or take them out of triad:machines",
    );
  }
  if (!holds && !request.initialise) {
    throw new ActError(
      `none of ${request.peers.map(({ name }) => name).join(", ")} is a server`,
      "there is no cluster to adopt, and a new one is created only when told",
      "set triad:initialise to true to create one, or describe the server's machine under triad:machines",
    );
  }
  return holds;
}

async function lookAt(peer: Machine, { identity }: ControlPlaneRequest): Promise<boolean> {
  const connection = await connect(peer, identity, 5_000);
  try {
    const { adminConf, etcdData, k3s } = observed.parse(
      await runScript(connection, { script: "observe.sh", verb: "check" }),
    );
    return adminConf || etcdData || k3s.role === "server" || k3s.datastore !== "none";
  } catch (error) {
    throw error instanceof SshError ? error : new Error(`${peer.name}: ${String(error)}`);
  } finally {
    connection.close();
  }
}
