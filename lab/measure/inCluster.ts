import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { imageNames } from "../artifacts/images.ts";
import { exec } from "../machines/machine.ts";
import { machinesWith, type Topology } from "../topology.ts";
import { kubectl } from "./inside.ts";
import { probeIntervalMs, timeoutMs } from "./pacing.ts";
import { parseProber } from "./parseProber.ts";
import type { Sample } from "./sample.ts";

const folder = "/var/log/lab-prober";
const file = `${folder}/samples`;

/** Starts the probe's pod, or leaves it at work, and returns when it has made an attempt. */
export async function startInCluster(topology: Topology): Promise<void> {
  const worker = workerOf(topology);
  const values: Record<string, string> = {
    ...{ worker, image: imageNames.prober, folder, file },
    ...{ intervalMs: String(probeIntervalMs), timeoutMs: String(timeoutMs) },
  };
  const template = readFileSync(join(import.meta.dirname, "inCluster.yaml"), "utf8");
  const manifest = template.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
  await kubectl(topology, ["apply", "--filename=-"], manifest);
  const startMs = Date.now();
  while (!(await inClusterSamples(topology)).some((sample) => sample.startMs >= startMs)) {
    if (Date.now() - startMs > 60_000) {
      throw new Error(`the pod lab-prober/prober on ${worker} has measured nothing within 60 s`);
    }
    await sleep(500);
  }
}

/** Everything that the probe inside the cluster has seen so far, read on its worker without the API. */
export async function inClusterSamples(topology: Topology): Promise<Sample[]> {
  const { stdout } = await exec(workerOf(topology), [
    "sh",
    "-c",
    `cat ${file} 2>/dev/null || true`,
  ]);
  return parseProber(stdout);
}

/** Asks a pod of the cluster to fetch `url`, so that its names and routes are a pod's. */
export async function fetchInCluster(topology: Topology, url: string): Promise<string> {
  const pod = ["exec", "--namespace=lab-prober", "prober", "--"];
  return kubectl(topology, [...pod, "/usr/local/bin/prober", "get", url]);
}

function workerOf(topology: Topology): string {
  const worker = machinesWith(topology, "worker")[0];
  if (worker === undefined) throw new Error(`${topology.stack} has no worker`);
  return worker.name;
}
