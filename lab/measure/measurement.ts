import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectFolder, statePaths } from "../paths.ts";
import type { Topology } from "../topology.ts";
import type { Window } from "./figures.ts";
import { inside, kubectl } from "./inside.ts";
import { inClusterSamples, startInCluster } from "./inCluster.ts";
import { readSamples } from "./sample.ts";
import type { Sample } from "./sample.ts";
import { lostWrites, writerNamespace } from "./writes.ts";

/** Everything that was seen between start and stop. */
export interface Measured {
  readonly whole: Window;
  readonly outside: readonly Sample[];
  readonly inCluster: readonly Sample[];
  readonly writes: readonly Sample[];
  /** Names of acknowledged writes that are not there any more. */
  readonly lost: readonly string[];
}

interface Running {
  readonly file: string;
  readonly stop: () => Promise<void>;
}

/** The writer and the two probes at work on the lab now up. */
export class Measurement {
  readonly #topology: Topology;
  readonly #probe: Running;
  readonly #writer: Running;

  private constructor(topology: Topology, probe: Running, writer: Running) {
    this.#topology = topology;
    this.#probe = probe;
    this.#writer = writer;
  }

  /**
   * Starts all three and returns when each has made its first attempt. Their samples go to `folder`, which is
   * emptied first.
   */
  static async start(topology: Topology, folder: string): Promise<Measurement> {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await startInCluster(topology);
    const probe = startProgram(topology, "probe", folder);
    const writer = startProgram(topology, "writer", folder);
    const measurement = new Measurement(topology, probe, writer);
    await untilWritten(probe.file);
    await untilWritten(writer.file);
    return measurement;
  }

  /** Ends it, then looks whether all that was acknowledged is there. */
  async stop(): Promise<Measured> {
    await Promise.all([this.#probe.stop(), this.#writer.stop()]);
    const endMs = Date.now();
    const outside = readSamples(this.#probe.file);
    // The measurement starts with the first attempt from outside, when the other two are at work or about to be.
    const whole = { startMs: outside[0]?.startMs ?? endMs, endMs };
    const inCluster = await inClusterSamples(this.#topology);
    const writes = readSamples(this.#writer.file);
    const list = ["get", "configmaps", `--namespace=${writerNamespace}`, "-o=json"];
    return {
      whole,
      outside,
      inCluster: inCluster.filter(
        ({ startMs, endMs }) => endMs >= whole.startMs && startMs <= whole.endMs,
      ),
      writes,
      lost: lostWrites(writes, await kubectl(this.#topology, list)),
    };
  }
}

function startProgram(topology: Topology, program: "probe" | "writer", folder: string): Running {
  const file = join(folder, `${program}.jsonl`);
  const { endpoint, machines } = topology;
  const server = machines.find(({ role }) => role === "server");
  if (server === undefined) throw new Error(`${topology.stack} has no server`);
  const options = {
    kubeconfig: statePaths.kubeconfig,
    server: `${server.address}:6443`,
    endpoint: `${endpoint.address}:${String(endpoint.port)}`,
    out: file,
  };
  const [command = "", ...args] = inside(topology, [
    process.execPath,
    join(projectFolder, "lab", "measure", `${program}.ts`),
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
  ]);
  const child = spawn(command, args, { stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await ended;
    if (child.exitCode !== 0)
      throw new Error(`the ${program} did not last to the end; what it saw: ${file}`);
  };
  return { file, stop };
}

async function untilWritten(file: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) {
    if (Date.now() > deadline)
      throw new Error(`nothing was measured within 60 s: ${file} is empty`);
    await sleep(50);
  }
}
