import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { diskOf } from "../machines/mounts.ts";
import { must } from "../machines/shell.ts";
import { cacheFolder, projectFolder } from "../paths.ts";
import type { LabMachine, Topology } from "../topology.ts";
import { byHandOf } from "./beforeState.ts";
import { copyContainerd, unchanging } from "./containerdData.ts";
import { shareFiles } from "./shareFiles.ts";

/** Certificates of the before-state are valid for a year; a snapshot is made anew long before. */
const maximumAgeMs = 30 * 24 * 3600 * 1000;

const note = z.object({ madeMs: z.number() });

/** The disks of stopped machines, kept in the cache so that a rehearsal can start from them. */
export class Snapshot {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Says which home this is, by which recipe. */
  get name(): string {
    return basename(this.#folder);
  }

  /** Whether all of it is there and young enough. */
  async isUsable(): Promise<boolean> {
    const text = await readFile(join(this.#folder, "note.json"), "utf8").catch(() => undefined);
    if (text === undefined) return false;
    const ageMs = Date.now() - note.parse(JSON.parse(text)).madeMs;
    return ageMs >= 0 && ageMs < maximumAgeMs;
  }

  /**
   * Takes the disks of machines that are stopped and whose disks are not mounted any more. Snapshots of the same home
   * by an earlier recipe are removed: they are large, and nobody asks for them any more.
   */
  async take(machines: readonly LabMachine[]): Promise<void> {
    const making = `${this.#folder}.making`;
    await rm(making, { recursive: true, force: true });
    for (const { name } of machines) {
      const target = join(making, name);
      const disk = diskOf(name);
      await mkdir(target, { recursive: true });
      await must(["mv", disk.upper, join(target, "upper")]);
      await must(["mv", disk.containerd, join(target, "containerd")]);
      await rm(join(target, "upper", "var", "log", "journal"), { recursive: true, force: true });
    }
    const shared = ["upper", ...unchanging.map((folder) => join("containerd", folder))];
    await shareFiles(machines.flatMap(({ name }) => shared.map((one) => join(making, name, one))));
    await writeFile(join(making, "note.json"), JSON.stringify({ madeMs: Date.now() }));
    await rm(this.#folder, { recursive: true, force: true });
    await rename(making, this.#folder);
    await this.#removeOthers();
  }

  /** The layer with what the machine had written; nothing writes to it any more. */
  layerOf(machine: string): string {
    return join(this.#folder, machine, "upper");
  }

  /** Gives a machine, before its first boot, containerd's data as they were. */
  async copyContainerd(machine: string): Promise<void> {
    await copyContainerd(join(this.#folder, machine, "containerd"), machine);
  }

  async #removeOthers(): Promise<void> {
    const own = basename(this.#folder);
    const stack = own.slice(0, own.lastIndexOf("-"));
    const beside = dirname(this.#folder);
    for (const name of await readdir(beside)) {
      const isSnapshot = /^-[0-9a-f]{16}(\.making)?$/.test(name.slice(stack.length));
      if (!name.startsWith(stack) || !isSnapshot || name === own) continue;
      await rm(join(beside, name), { recursive: true, force: true });
    }
  }
}

/**
 * The snapshot that belongs to this topology, these artifacts and this way of making the cluster.
 * @param artifacts names the versions of all that machines get: their image, container images, programs.
 */
export async function snapshotFor(
  topology: Topology,
  artifacts: readonly string[],
): Promise<Snapshot> {
  const hash = createHash("sha256").update(JSON.stringify([topology, artifacts]));
  const { recipes } = byHandOf(topology);
  for (const file of [
    ...recipes,
    "beforeState.ts",
    "workload/workload.yaml",
    "workload/workload.ts",
  ]) {
    hash.update(await readFile(join(projectFolder, "lab", "before", file)));
  }
  const name = `${topology.stack}-${hash.digest("hex").slice(0, 16)}`;
  return new Snapshot(join(cacheFolder, "before-state", name));
}
