import * as z from "zod";
import { connect, SshError } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { type ActContext, ActError, defineAct } from "./act.ts";
import {
  endpointAddress,
  pointConfigMap,
  readClusterConfiguration,
  withEndpoint,
} from "./clusterConfiguration.ts";
import { withFlags } from "./configurationFlags.ts";
import { initConfiguration } from "./initConfiguration.ts";
import { withLease } from "./lease.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { runLocked } from "./machineLock.ts";
import { controlPlaneRequest, flags, type ControlPlaneRequest, type Machine } from "./request.ts";
import { retrofitServer } from "./retrofitServer.ts";
import { refuseOtherFlags } from "./serverFlags.ts";

const answer = z.object({ flags });
const observed = z.object({ adminConf: z.boolean(), etcdData: z.boolean() });

/**
 * The cluster exists and its API servers' certificates name the endpoint. A living cluster is adopted and, where
 * it has no endpoint, retrofitted without a restart; a new one is created only where the config allows it and no
 * machine holds a server's data. Deleting it does nothing: forgetting a cluster must not end it.
 */
export const controlPlane = defineAct(controlPlaneRequest, async (request, context) => {
  if (context.verb === "delete") return {};
  if (await holdsServerData(request)) return await adopt(request, context);
  await initialise(request, context);
  return { endpoint: endpointAddress(request.endpoint), flags: request.flags };
});

async function adopt(request: ControlPlaneRequest, context: ActContext): Promise<object> {
  const cluster = await findLiveCluster(request);
  try {
    await refuseOtherVersion(cluster, request);
    const before = await readClusterConfiguration(cluster);
    const earlier = answer.safeParse(context.previous).data?.flags;
    const after = withFlags(withEndpoint(before, request.endpoint), request.flags, earlier);
    if (context.verb === "create") await refuseOtherFlags(cluster, after);
    const retrofitted = before !== after || !(await endpointIsEverywhere(cluster, request));
    if (retrofitted) {
      await withLease(cluster, `retrofit ${cluster.server.name}`, context.progress, () =>
        retrofit(cluster, request, { before, after }, context),
      );
    } else {
      context.progress("the cluster already has this endpoint: nothing to change");
    }
    return { endpoint: endpointAddress(request.endpoint), flags: request.flags };
  } finally {
    cluster.close();
  }
}

async function retrofit(
  cluster: LiveCluster,
  { endpoint }: ControlPlaneRequest,
  { before, after }: { before: string; after: string },
  { progress }: ActContext,
): Promise<void> {
  const { connection, server } = cluster;
  await retrofitServer(
    connection,
    server,
    endpoint,
    { configuration: after, upload: before !== after },
    progress,
  );
  for (const where of kubeconfigMaps) {
    if (await pointConfigMap(cluster, where, endpoint)) {
      progress(`${where.namespace}/${where.name} points to ${endpointAddress(endpoint)}`);
    }
  }
}

/** kubeadm's copies of the API's address that upload-config does not write. */
const kubeconfigMaps = [
  { namespace: "kube-public", name: "cluster-info", key: "kubeconfig" },
  { namespace: "kube-system", name: "kube-proxy", key: "kubeconfig.conf" },
];

async function endpointIsEverywhere(
  cluster: LiveCluster,
  { endpoint }: ControlPlaneRequest,
): Promise<boolean> {
  const url = `https://${endpointAddress(endpoint)}`;
  const maps = await Promise.all(
    kubeconfigMaps.map(async ({ namespace, name, key }) => {
      const { data } = await cluster.core.readNamespacedConfigMap({ namespace, name });
      return data?.[key]?.includes(`server: ${url}`) ?? false;
    }),
  );
  return maps.every(Boolean);
}

async function refuseOtherVersion(
  cluster: LiveCluster,
  { version }: ControlPlaneRequest,
): Promise<void> {
  const configuration = await readClusterConfiguration(cluster);
  const running = /^kubernetesVersion: *(\S+)$/m.exec(configuration)?.[1];
  if (running !== undefined && running !== version) {
    throw new ActError(
      `the cluster runs Kubernetes ${running}, the config says ${version}`,
      "servers of another version would join it, and changing the version is an upgrade of its own",
      `set triad:version to ${running}`,
    );
  }
}

/** Whether any listed or described machine is, or was, a server: then nothing new may be created. */
async function holdsServerData(request: ControlPlaneRequest): Promise<boolean> {
  const looks = await Promise.allSettled(request.peers.map((peer) => lookAt(peer, request)));
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
    const { adminConf, etcdData } = observed.parse(
      await runScript(connection, { script: "observe.sh", verb: "check" }),
    );
    return adminConf || etcdData;
  } catch (error) {
    throw error instanceof SshError ? error : new Error(`${peer.name}: ${String(error)}`);
  } finally {
    connection.close();
  }
}

async function initialise(request: ControlPlaneRequest, { progress }: ActContext): Promise<void> {
  const connection = await connect(request.initialServer, request.identity);
  try {
    await runLocked(
      connection,
      {
        act: `create the cluster on ${request.initialServer.name}`,
        script: "kubeadm-init.sh",
        variables: { INIT_CONFIGURATION: initConfiguration(request), VERSION: request.version },
        limit: 600,
      },
      progress,
    );
  } finally {
    connection.close();
  }
}
