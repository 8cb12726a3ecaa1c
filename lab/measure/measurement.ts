import { mkdirSync, rmSync } from "node:fs";
import type { Topology } from "../topology.ts";
import type { Window } from "./figures.ts";
import { inClusterSamples, startInCluster } from "./inCluster.ts";
import { kubectl } from "./inside.ts";
import { startProgram, type Program } from "./program.ts";
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

/** The writer and the two probes at work on the lab now up. */
export class Measurement {
  readonly #topology: Topology;
  readonly #probe: Program;
  readonly #writer: Program;

  private constructor(topology: Topology, probe: Program, writer: Program) {
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
    const [probe, writer] = await Promise.all([
      startProgram(topology, "probe", folder),
      startProgram(topology, "writer", folder),
    ]);
    return new Measurement(topology, probe, writer);
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
