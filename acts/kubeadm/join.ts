import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { type SshConnection, SshError } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import type { Progress } from "../act.ts";
import { cordon, uncordon } from "../cordon.ts";
import { drainNode } from "../drainNode.ts";
import { gate } from "../gate.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { runLocked } from "../machineLock.ts";
import { controlPlaneLabel, isReady, readNode } from "../nodes.ts";
import type { Machine, MembershipRequest } from "../request.ts";
import { readClusterConfiguration } from "./clusterConfiguration.ts";
import { joinConfiguration, joinCredentials, type JoinCredentials } from "./joinConfiguration.ts";

const script = "kubeadm-join.sh";
const draining = {
  why: "kubeadm ends every pod of a worker that it makes a server",
  cure: "make room for these pods elsewhere, or change what holds them, then run pulumi up again",
};

/** `kubeadm join --control-plane`, with credentials that are minted for it and taken back afterwards. */
export async function joinKubeadm(
  cluster: LiveCluster,
  connection: SshConnection,
  { machine, version, endpoint }: MembershipRequest,
  progress: Progress,
): Promise<void> {
  await freeWorker(cluster, connection, machine, progress);
  const taints = await serverTaints(cluster);
  const credentials = await mintCredentials(cluster, progress);
  try {
    await runLocked(
      connection,
      {
        act: `join ${machine.name}`,
        script,
        variables: {
          JOIN_CONFIGURATION: joinConfiguration(machine, endpoint, credentials, taints),
          VERSION: version,
        },
        limit: 600,
      },
      progress,
    );
  } catch (error) {
    // A join whose connection breaks goes on, and needs them still. They expire: the token in 20 minutes, the rest in 2 hours.
    if (!(error instanceof SshError)) await forgetCredentials(cluster, credentials);
    throw error;
  }
  await forgetCredentials(cluster, credentials);
}

/**
 * kubeadm makes a server of an empty machine only: a worker is cleared first, once its pods have gone elsewhere. Its Node
 * stays, with labels and volumes; as kubeadm refuses one that is Ready, it is told at once what it would find out in 40 s.
 */
async function freeWorker(
  cluster: LiveCluster,
  connection: SshConnection,
  machine: Machine,
  progress: Progress,
): Promise<void> {
  const { name, nodeName } = machine;
  if (!isReady(await readNode(cluster, nodeName))) return;
  await cordon(cluster, machine, "promotion", progress);
  try {
    await drainNode(cluster, nodeName, draining, progress);
  } catch (error) {
    await uncordon(cluster, machine, progress);
    throw error;
  }
  await runLocked(
    connection,
    { act: `clear ${name}`, script, verb: "clear", variables: {}, limit: 300 },
    progress,
  );
  await gate(
    async () => {
      const node = await readNode(cluster, nodeName);
      if (!isReady(node)) return { found: true };
      await tellUnreachable(cluster, nodeName);
      return { seen: "Ready" };
    },
    {
      what: `the Node ${nodeName} to be no more Ready`,
      limitMs: 60_000,
      why: "kubeadm refuses to join a machine whose Node is",
      cure: `see whether another machine runs a kubelet by the name of ${nodeName}`,
      progress,
    },
  );
}

async function tellUnreachable({ core }: LiveCluster, name: string): Promise<void> {
  const conditions = [
    {
      type: "Ready",
      status: "Unknown",
      reason: "TriadPromotes",
      message: "its kubelet was cleared: it becomes a server",
    },
  ];
  await core.patchNodeStatus(
    { name, body: { status: { conditions } } },
    setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
  );
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
