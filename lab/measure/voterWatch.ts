import { setTimeout as sleep } from "node:timers/promises";
import type { Topology } from "../topology.ts";
import { readEtcd } from "./clusterState.ts";

/** Counts etcd's voters on one server again and again, until it is told to stop. */
export class VoterWatch {
  readonly #counts: number[] = [];
  readonly #looking: Promise<void>;
  #isOver = false;

  constructor(topology: Topology, server: string) {
    this.#looking = this.#look(topology, server);
  }

  /** Ends it, and gives the numbers in their order; as long as it stays the same it is told once. */
  async stop(): Promise<number[]> {
    this.#isOver = true;
    await this.#looking;
    return this.#counts;
  }

  async #look(topology: Topology, server: string): Promise<void> {
    while (!this.#isOver) {
      const etcd = await readEtcd(topology, server).catch(() => undefined);
      if (etcd !== undefined && etcd.voters !== this.#counts.at(-1)) this.#counts.push(etcd.voters);
      await sleep(200);
    }
  }
}
