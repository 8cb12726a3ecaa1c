import { join } from "node:path";
import { z } from "zod";
import { diskOf } from "../machines/mounts.ts";
import { machineNamespace, namespacePath } from "../machines/network.ts";
import { run } from "../machines/shell.ts";
import { machinesWith, type Topology } from "../topology.ts";

/** A cluster of etcd, as one of its members sees it with the others' consent. */
export interface Members {
  readonly cluster: string;
  readonly voters: readonly string[];
  readonly learners: readonly string[];
}

const answerSchema = z.object({
  header: z.object({ cluster_id: z.string() }),
  members: z.array(
    z.object({
      name: z.string().default(""),
      peerURLs: z.array(z.string()).default([]),
      isLearner: z.boolean().default(false),
    }),
  ),
});

/** Asks one server's etcd, in the machine's network and with the files on its disk; nothing when it does not answer. */
export async function membersSeenBy(
  topology: Topology,
  server: string,
): Promise<Members | undefined> {
  const { port, ca, certificate, key } = topology.distribution.etcd;
  const file = (path: string): string => join(diskOf(server).root, path);
  const network = `--net=${namespacePath(machineNamespace(topology, server))}`;
  const client = ["--cacert", file(ca), "--cert", file(certificate), "--key", file(key)];
  const url = `https://127.0.0.1:${String(port)}/v3/cluster/member/list`;
  const ask = ["curl", "--silent", "--fail", "--max-time", "2", ...client];
  const body = ["--data", '{"linearizable":true}', url];
  const { stdout, exitCode } = await run(["nsenter", network, ...ask, ...body]);
  if (exitCode !== 0) return undefined;
  const { header, members } = answerSchema.parse(JSON.parse(stdout));
  const named = members.map(({ name, peerURLs, isLearner }) => ({
    // One that has not started yet has no name; k3s adds digits of its own.
    name: nodeOf(topology, name, peerURLs),
    isLearner,
  }));
  return {
    cluster: header.cluster_id,
    voters: named.filter(({ isLearner }) => !isLearner).map(({ name }) => name),
    learners: named.filter(({ isLearner }) => isLearner).map(({ name }) => name),
  };
}

/** As the first server sees it that answers; nothing where there is no etcd, or no quorum. */
export async function members(topology: Topology): Promise<Members | undefined> {
  for (const { name } of machinesWith(topology, "server")) {
    const seen = await membersSeenBy(topology, name);
    if (seen !== undefined) return seen;
  }
  return undefined;
}

function nodeOf(topology: Topology, name: string, peerUrls: readonly string[]): string {
  const machine = topology.machines.find(({ address }) =>
    peerUrls.some((url) => new URL(url).hostname === address),
  );
  return machine?.name ?? name;
}
