import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import * as z from "zod";
import { runScript } from "../ssh/runScript.ts";
import { ActError, defineAct, type Progress } from "./act.ts";
import { findLiveCluster, type LiveCluster } from "./liveCluster.ts";
import { backupRequest, type BackupRequest } from "./request.ts";

const archive = z.object({ path: z.string(), sha256: z.string() });

/**
 * All that is needed to go back lies on a server and on the operator's machine, mode 0600, before anything is touched: a
 * snapshot of etcd, the certificates and keys, kubeadm's configuration. It is never deleted by Triad.
 */
export const backup = defineAct(backupRequest, async (request, context) => {
  if (context.verb === "delete") return {};
  const cluster = await findLiveCluster(request, context.progress).catch((error: unknown) => {
    if (error instanceof ActError && request.initialise) return undefined;
    throw error;
  });
  if (cluster === undefined) {
    context.progress("there is no cluster yet: nothing to back up");
    return { backup: null };
  }
  try {
    return await takeBackup(cluster, request, context.progress);
  } finally {
    cluster.close();
  }
});

/**
 * Takes one of a cluster that lives.
 * @throws ActError, ScriptError, SshError when it is not whole on the operator's machine
 */
export async function takeBackup(
  cluster: LiveCluster,
  { clusterName, directory }: Pick<BackupRequest, "clusterName" | "directory">,
  progress: Progress,
): Promise<object> {
  const { server, connection } = cluster;
  const label = `${clusterName}-${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}`;
  const { path, sha256 } = archive.parse(
    await runScript(
      connection,
      {
        script: `${cluster.distribution.name}-backup.sh`,
        verb: "ensure",
        variables: { LABEL: label, NODE_ADDRESS: server.address },
      },
      (line) => progress(`${server.name}: ${line}`),
    ),
  );
  const kept = resolve(directory, `${label}.tar.gz`);
  await mkdir(resolve(directory), { recursive: true, mode: 0o700 });
  const sudo = server.ssh.user === "root" ? "" : "sudo -n ";
  await connection.download(`${sudo}cat ${path}`, `${kept}.part`);
  if ((await digest(`${kept}.part`)) !== sha256) {
    throw new ActError(
      `the backup ${path} of ${server.name} did not arrive whole`,
      "nothing is touched without a backup that can be trusted",
      "run the same command again",
    );
  }
  await rename(`${kept}.part`, kept);
  progress(`backup kept in ${join(directory, `${label}.tar.gz`)} and on ${server.name} in ${path}`);
  return { server: server.name, path, kept: join(directory, `${label}.tar.gz`), sha256 };
}

async function digest(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
