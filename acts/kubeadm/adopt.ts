import * as z from "zod";
import { type ActContext, ActError } from "../act.ts";
import { endpointAddress } from "../endpointAddress.ts";
import { withLease } from "../lease.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { type ControlPlaneRequest, flags } from "../request.ts";
import { pointConfigMap, readClusterConfiguration, withEndpoint } from "./clusterConfiguration.ts";
import { withFlags } from "./configurationFlags.ts";
import { refuseOtherFlags } from "./flags.ts";
import { retrofitServer } from "./retrofitServer.ts";

const answer = z.object({ flags });

/** kubeadm's copies of the API's address that upload-config does not write. */
const kubeconfigMaps = [
  { namespace: "kube-public", name: "cluster-info", key: "kubeconfig" },
  { namespace: "kube-system", name: "kube-proxy", key: "kubeconfig.conf" },
];

/** A cluster without an endpoint is retrofitted with one; no server restarts. */
export async function adoptKubeadm(
  cluster: LiveCluster,
  request: ControlPlaneRequest,
  context: ActContext,
): Promise<void> {
  const before = await readClusterConfiguration(cluster);
  refuseOtherVersion(before, request);
  const earlier = answer.safeParse(context.previous).data?.flags;
  const after = withFlags(withEndpoint(before, request.endpoint), request.flags, earlier);
  if (context.verb === "create") await refuseOtherFlags(cluster, after, request.flags);
  if (before === after && (await endpointIsEverywhere(cluster, request))) {
    context.progress("the cluster already has this endpoint: nothing to change");
    return;
  }
  await withLease(cluster, `retrofit ${cluster.server.name}`, context.progress, () =>
    retrofit(cluster, request, { before, after }, context),
  );
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

function refuseOtherVersion(configuration: string, { version }: ControlPlaneRequest): void {
  const running = /^kubernetesVersion: *(\S+)$/m.exec(configuration)?.[1];
  if (running !== undefined && running !== version) {
    throw new ActError(
      `the cluster runs Kubernetes ${running}, the config says ${version}`,
      "servers of another version would join it, and changing the version is an upgrade of its own",
      `set triad:version to ${running}`,
    );
  }
}
