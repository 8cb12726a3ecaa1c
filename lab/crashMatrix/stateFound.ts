import { existsSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { exec } from "../machines/machine.ts";
import { statePaths } from "../paths.ts";
import type { Topology } from "../topology.ts";
import { members } from "./members.ts";

const checkpointSchema = z.object({
  checkpoint: z.object({
    latest: z.object({
      pending_operations: z
        .array(z.object({ type: z.string(), resource: z.object({ urn: z.string() }) }))
        .nullish(),
    }),
  }),
});

/** What an interrupted run has left, in a few words: members of etcd, what Pulumi thinks is under way, acts on machines. */
export async function stateFound(topology: Topology): Promise<string> {
  const [seen, acting] = await Promise.all([members(topology), actingMachines(topology)]);
  const etcd =
    seen === undefined
      ? "no answer of etcd"
      : [count(seen.voters.length, "voter"), ...learners(seen.learners.length)].join(", ");
  const pending = pendingOperations(topology);
  return [
    etcd,
    ...(pending.length === 0 ? [] : [`pending: ${pending.join(", ")}`]),
    ...((await isLocked()) ? ["stack locked"] : []),
    ...(acting.length === 0 ? [] : [`act goes on: ${acting.join(", ")}`]),
  ].join("; ");
}

/** Whether a run that was killed has left Pulumi's lock on the stack. */
export async function isLocked(): Promise<boolean> {
  const folder = join(statePaths.pulumiBackend, ".pulumi", "locks");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.some((entry) => entry.isFile() && entry.name.endsWith(".json"));
}

/** The machines on which the unit of an act runs. */
export async function actingMachines(topology: Topology): Promise<string[]> {
  const look = ["systemctl", "show", "triad-act.service", "--property=ActiveState", "--value"];
  const states = await Promise.all(
    topology.machines.map(async ({ name }) => ({ name, state: (await exec(name, look)).stdout })),
  );
  return states
    .filter(({ state }) => /^(active|activating|deactivating)$/m.test(state))
    .map(({ name }) => name);
}

/** Of the file in which the stack's state lies, as no engine may be asked while it is locked. */
function pendingOperations({ stack }: Topology): string[] {
  const file = join(statePaths.pulumiBackend, ".pulumi", "stacks", "triad", `${stack}.json`);
  if (!existsSync(file)) return [];
  const { checkpoint } = checkpointSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  return (checkpoint.latest.pending_operations ?? []).map(
    ({ type, resource }) => `${type} ${resource.urn.split("::").at(-1) ?? ""}`,
  );
}

function learners(number: number): string[] {
  return number === 0 ? [] : [count(number, "learner")];
}

function count(number: number, what: string): string {
  return `${String(number)} ${what}${number === 1 ? "" : "s"}`;
}
