import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureArtifacts, type Artifacts } from "../artifacts/artifacts.ts";
import { snapshotFor } from "../before/snapshot.ts";
import { upBeforeState } from "../lab.ts";
import { ensureImage } from "../machines/image.ts";
import { pulumi } from "../measure/pulumi.ts";
import { listServers } from "../measure/serverList.ts";
import { cacheFolder } from "../paths.ts";
import { progress } from "../progress.ts";
import { requireComputer } from "../requireComputer.ts";
import { machinesWith, type Topology } from "../topology.ts";
import { programHash } from "./programHash.ts";
import { SavedState } from "./savedState.ts";
import { untilAtRest } from "./untilAtRest.ts";

/** How far the change from one server to three has come in a state that is kept. */
export type StateName = "before" | "adopted" | "two" | "joined" | "three";

interface Recipe {
  /** The state that it goes on from. */
  readonly from?: StateName;
  readonly servers: number;
  /** Left out of the run that makes it, as Pulumi's patterns of URNs. */
  readonly without?: string;
}

const recipes: Readonly<Record<StateName, Recipe>> = {
  /** One server, made by hand; Pulumi knows nothing of it yet. */
  before: { servers: 1 },
  adopted: { from: "before", servers: 1 },
  two: { from: "adopted", servers: 2 },
  /** All three are servers, but workers and whatever else is a client were not moved to the endpoint yet. */
  joined: { from: "adopted", servers: 3, without: "**triad:index:Clients**" },
  three: { from: "two", servers: 3 },
};

/** Makes, keeps and restores the states of one home. */
export class States {
  readonly #topology: Topology;
  readonly #folder: string;
  readonly #artifacts: Artifacts;

  private constructor(topology: Topology, folder: string, artifacts: Artifacts) {
    this.#topology = topology;
    this.#folder = folder;
    this.#artifacts = artifacts;
  }

  /** Those made by the program as it is now; what an earlier one made is removed, since nobody asks for it any more. */
  static async of(topology: Topology): Promise<States> {
    await requireComputer();
    const image = await ensureImage();
    const artifacts = await ensureArtifacts(topology, image);
    const { name } = await snapshotFor(topology, [image, artifacts.version]);
    const hash = createHash("sha256")
      .update(`${name} ${await programHash()}`)
      .digest("hex");
    const beside = join(cacheFolder, "saved-state", topology.stack);
    const own = hash.slice(0, 16);
    for (const other of await readdir(beside).catch(() => [])) {
      if (other !== own) await rm(join(beside, other), { recursive: true, force: true });
    }
    return new States(topology, join(beside, own), artifacts);
  }

  /** Makes the state, and those before it, where it is not kept yet. */
  async ensure(name: StateName): Promise<void> {
    const state = this.#state(name);
    if (await state.isUsable()) return;
    const { from, servers, without } = recipes[name];
    if (from === undefined) {
      await upBeforeState(this.#topology);
    } else {
      await this.restore(from);
      progress(`making the state "${name}"; later runs start from its disks`);
      listServers(this.#topology, this.serversOf(servers));
      const exclude = without === undefined ? [] : ["--exclude", without];
      const args = ["up", "--yes", "--skip-preview", ...exclude];
      const { exitCode, output } = await pulumi(this.#topology, `state-${name}`, args);
      if (exitCode !== 0) throw new Error(`the state "${name}" could not be made:\n${output}`);
    }
    await state.take(this.#topology);
  }

  /** Ends any lab on this computer, then brings up this state; returns when the cluster is at rest. */
  async restore(name: StateName): Promise<void> {
    await this.ensure(name);
    const sinceMs = Date.now();
    await this.#state(name).restore(this.#topology, this.#artifacts);
    await untilAtRest(this.#topology, sinceMs);
  }

  /** The first so many of the list, by name. */
  serversOf(count: number): string[] {
    return machinesWith(this.#topology, "server")
      .slice(0, count)
      .map(({ name }) => name);
  }

  #state(name: StateName): SavedState {
    return new SavedState(join(this.#folder, name));
  }
}
