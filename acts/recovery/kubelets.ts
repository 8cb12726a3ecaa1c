import { connect } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import { gate } from "../gate.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { isReady, readNode } from "../nodes.ts";
import type { Machine } from "../request.ts";
import { type RecoveryRequest, scriptOf } from "./request.ts";
import { reasonOf } from "../reasonOf.ts";

/**
 * Restarts the workers' kubelets, each Ready before the next: a Node that the recovered data do not know is registered at a
 * start only. One that has started since the recovery is left alone.
 *
 * @param since unix time in seconds, as text
 * @returns a line for each worker that is not back
 */
export async function restartKubelets(
  cluster: LiveCluster,
  request: RecoveryRequest,
  since: string,
  progress: (line: string) => void,
): Promise<string[]> {
  const failures: string[] = [];
  for (const machine of request.workers) {
    try {
      await restart(machine, request, since, progress);
      await ready(cluster, machine, progress);
    } catch (error) {
      const [line = ""] = reasonOf(error).split("\n");
      failures.push(`${machine.name}: ${line}`);
    }
  }
  return failures;
}

async function restart(
  machine: Machine,
  request: RecoveryRequest,
  since: string,
  progress: (line: string) => void,
): Promise<void> {
  const connection = await connect(machine, request.identity);
  try {
    await runScript(
      connection,
      { script: scriptOf(request), verb: "rouse", variables: { STARTED_AFTER: since } },
      (line) => progress(`${machine.name}: ${line}`),
    );
  } finally {
    connection.close();
  }
}

async function ready(
  cluster: LiveCluster,
  { nodeName }: Machine,
  progress: (line: string) => void,
): Promise<void> {
  await gate(
    async () => {
      const node = await readNode(cluster, nodeName);
      return isReady(node)
        ? { found: true }
        : { seen: node === undefined ? "no Node" : "not Ready" };
    },
    {
      what: `${nodeName} to be Ready`,
      limitMs: 120_000,
      why: "its pods run on without anybody who hears of them",
      cure: "see journalctl -u kubelet on it",
      progress,
    },
  );
}
