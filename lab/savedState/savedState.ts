import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Artifacts } from "../artifacts/artifacts.ts";
import { startMirror } from "../artifacts/startMirror.ts";
import { copyContainerd } from "../before/containerdData.ts";
import { rememberLab } from "../currentLab.ts";
import { downLab } from "../lab.ts";
import { fault, stopMachine, untilUp } from "../machines/machine.ts";
import { diskOf, mountDisk, unmountAll } from "../machines/mounts.ts";
import { createLabNetwork } from "../machines/network.ts";
import { borrowKernel } from "../machines/safety.ts";
import { must } from "../machines/shell.ts";
import { stateFolder } from "../paths.ts";
import { stackFileOf } from "../stackFile.ts";
import type { LabMachine, LabRole, Topology } from "../topology.ts";
import { lowerLayersOf } from "./lowerLayersOf.ts";

/** Certificates are valid for a year; a state is made anew long before. */
const maximumAgeMs = 30 * 24 * 3600 * 1000;

const note = z.object({
  madeMs: z.number(),
  /** Of each machine, the layers below its own, the topmost first. */
  layers: z.record(z.string(), z.array(z.string())),
});

/** Who is stopped first: a server outlives those who ask it, the name server all others. */
const orderOfStopping: readonly LabRole[] = ["worker", "server", "load-balancer", "dns"];

/** Belongs to one run of the lab, or is kept in another way. */
const notKept = ["lab.json", "machines", "mirror.log"];

/** A whole lab, stopped: its disks, the operator's keys, Pulumi's state and the stack file. It can go on any number of times. */
export class SavedState {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether all of it is there and young enough. */
  async isUsable(): Promise<boolean> {
    const text = await readFile(join(this.#folder, "note.json"), "utf8").catch(() => undefined);
    if (text === undefined) return false;
    const { madeMs, layers } = note.parse(JSON.parse(text));
    const isYoung = Date.now() - madeMs < maximumAgeMs;
    return isYoung && Object.values(layers).flat().every(existsSync);
  }

  /** Stops the lab that is up and keeps it. The lab can't go on afterwards; it can be restored. */
  async take(topology: Topology): Promise<void> {
    const making = `${this.#folder}.making`;
    await rm(making, { recursive: true, force: true });
    await mkdir(making, { recursive: true, mode: 0o700 });
    for (const role of orderOfStopping) {
      await Promise.all(topology.machines.filter((one) => one.role === role).map(stopMachine));
    }
    const layers: Record<string, string[]> = {};
    for (const { name } of topology.machines) layers[name] = await lowerLayersOf(name);
    await unmountAll();
    for (const { name } of topology.machines) {
      const kept = join(making, "machines", name);
      await mkdir(kept, { recursive: true });
      const { upper, containerd } = diskOf(name);
      await must(["mv", upper, join(kept, "upper")]);
      await must(["mv", containerd, join(kept, "containerd")]);
      await rm(join(kept, "upper", "var", "log", "journal"), { recursive: true, force: true });
    }
    await mkdir(join(making, "operator"), { mode: 0o700 });
    for (const entry of await readdir(stateFolder)) {
      if (!notKept.includes(entry)) await copy(join(stateFolder, entry), join(making, "operator"));
    }
    await copyFile(stackFileOf(topology), join(making, "stack.yaml"));
    await writeFile(join(making, "note.json"), JSON.stringify({ madeMs: Date.now(), layers }));
    await rm(this.#folder, { recursive: true, force: true });
    await rename(making, this.#folder);
  }

  /** Ends any lab on this computer, then lets this one go on; returns when its machines have booted. */
  async restore(topology: Topology, artifacts: Artifacts): Promise<void> {
    const { layers } = note.parse(
      JSON.parse(await readFile(join(this.#folder, "note.json"), "utf8")),
    );
    await downLab();
    await borrowKernel();
    await mkdir(stateFolder, { recursive: true, mode: 0o700 });
    await copy(`${join(this.#folder, "operator")}/.`, stateFolder);
    await copyFile(join(this.#folder, "stack.yaml"), stackFileOf(topology));
    await rememberLab({ topology, programs: artifacts.kubectl });
    await createLabNetwork(topology);
    await startMirror(topology, artifacts);
    await Promise.all(
      topology.machines.map(async (machine) => {
        await this.#start(topology, machine, layers[machine.name] ?? []);
        await untilUp(topology, machine);
      }),
    );
  }

  async #start(topology: Topology, machine: LabMachine, below: readonly string[]): Promise<void> {
    const kept = join(this.#folder, "machines", machine.name);
    await copyContainerd(join(kept, "containerd"), machine.name);
    await mountDisk(machine.name, [join(kept, "upper"), ...below]);
    await fault(topology, "power-on", machine);
  }
}

async function copy(from: string, to: string): Promise<void> {
  await must(["cp", "-a", from, to]);
}
