import * as z from "zod";
import type { SshConnection } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import type { Progress } from "../act.ts";
import { endpointAddress, endpointNames } from "../endpointAddress.ts";
import { readClusterConfiguration } from "./clusterConfiguration.ts";
import { withLease } from "../lease.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { runLocked } from "../machineLock.ts";
import type { Endpoint, Machine } from "../request.ts";

/**
 * Gives one server's certificate the endpoint's names and points its own kubeconfigs there, without a restart; the
 * old certificate comes back if the API does not answer with the new one.
 *
 * @param upload whether kubeadm's configuration in the cluster is written too
 */
export async function retrofitServer(
  connection: SshConnection,
  server: Machine,
  endpoint: Endpoint,
  { configuration, upload }: { configuration: string; upload: boolean },
  progress: Progress,
): Promise<void> {
  await runLocked(
    connection,
    {
      act: `retrofit ${server.name}`,
      script: "kubeadm-retrofit.sh",
      variables: {
        ...names(endpoint),
        NODE_NAME: server.nodeName,
        NODE_ADDRESS: server.address,
        CLUSTER_CONFIGURATION: configuration,
        UPLOAD: upload ? "yes" : "no",
      },
      limit: 180,
    },
    progress,
  );
}

const current = z.object({ current: z.boolean() });

/** The same for a server that was found with another endpoint, or none, in its certificate. */
export async function ensureEndpoint(
  cluster: LiveCluster,
  connection: SshConnection,
  server: Machine,
  endpoint: Endpoint,
  progress: Progress,
): Promise<void> {
  const call = { script: "kubeadm-retrofit.sh", verb: "check", variables: names(endpoint) };
  if (current.parse(await runScript(connection, call)).current) return;
  const configuration = await readClusterConfiguration(cluster);
  await withLease(cluster, `retrofit ${server.name}`, progress, () =>
    retrofitServer(connection, server, endpoint, { configuration, upload: false }, progress),
  );
}

function names(endpoint: Endpoint): Record<string, string> {
  return {
    ENDPOINT: endpointAddress(endpoint),
    CERTIFICATE_NAMES: endpointNames(endpoint).join(" "),
  };
}
