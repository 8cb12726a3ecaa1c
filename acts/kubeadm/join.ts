import type { SshConnection } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import type { Progress } from "../act.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { runLocked } from "../machineLock.ts";
import { controlPlaneLabel, readNode } from "../nodes.ts";
import type { MembershipRequest } from "../request.ts";
import { readClusterConfiguration } from "./clusterConfiguration.ts";
import { joinConfiguration, joinCredentials, type JoinCredentials } from "./joinConfiguration.ts";

/** `kubeadm join --control-plane`, with credentials that are minted for it and taken back afterwards. */
export async function joinKubeadm(
  cluster: LiveCluster,
  connection: SshConnection,
  { machine, version, endpoint }: MembershipRequest,
  progress: Progress,
): Promise<void> {
  const taints = await serverTaints(cluster);
  const credentials = await mintCredentials(cluster, progress);
  try {
    await runLocked(
      connection,
      {
        act: `join ${machine.name}`,
        script: "kubeadm-join.sh",
        variables: {
          JOIN_CONFIGURATION: joinConfiguration(machine, endpoint, credentials, taints),
          VERSION: version,
        },
        limit: 600,
      },
      progress,
    );
  } finally {
    await forgetCredentials(cluster, credentials);
  }
}

async function mintCredentials(cluster: LiveCluster, progress: Progress): Promise<JoinCredentials> {
  const { server, connection } = cluster;
  return joinCredentials.parse(
    await runScript(
      connection,
      {
        script: "kubeadm-credentials.sh",
        verb: "ensure",
        variables: {
          CLUSTER_CONFIGURATION: await readClusterConfiguration(cluster),
          NODE_ADDRESS: server.address,
        },
      },
      (line) => progress(`${server.name}: ${line}`),
    ),
  );
}

/** They would expire by themselves; until then they could make anyone a server. */
async function forgetCredentials(cluster: LiveCluster, { token }: JoinCredentials): Promise<void> {
  const secrets = ["kubeadm-certs", `bootstrap-token-${token.split(".")[0]}`];
  await Promise.allSettled(
    secrets.map((name) => cluster.core.deleteNamespacedSecret({ name, namespace: "kube-system" })),
  );
}

/** A new server gets the control-plane taint only if the present ones have it. */
async function serverTaints(cluster: LiveCluster): Promise<{ key: string; effect: string }[]> {
  const node = await readNode(cluster, cluster.server.nodeName);
  return (node?.spec?.taints ?? [])
    .filter(({ key }) => key === controlPlaneLabel)
    .map(({ key, effect }) => ({ key, effect }));
}
