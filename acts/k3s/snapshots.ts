import { Cron } from "croner";
import * as z from "zod";
import { connect } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import { reasonOf } from "../reasonOf.ts";
import type { Access, Machine } from "../request.ts";

/** What `k3s-snapshots.sh check` says; times are the machine's own, in unix seconds. */
export const snapshotState = z.object({
  directory: z.string(),
  count: z.number(),
  newest: z.string().nullable(),
  newestAt: z.number().nullable(),
  /** When this server became a member of etcd; null while it is none. */
  etcdSince: z.number().nullable(),
  now: z.number(),
  /** Such as `Europe/Berlin`: k3s reads its schedule in the machine's own time. */
  timeZone: z.string(),
});
export type SnapshotState = z.infer<typeof snapshotState>;

/** How long after its time a snapshot may appear, in seconds: k3s waits up to 5 s, then etcd has to be read. */
const grace = 600;

export interface Snapshots {
  /** Cron expression of five fields. */
  readonly schedule: string;
  readonly directory: string;
  readonly name: string;
}

/**
 * The servers whose last scheduled snapshot of etcd is not where it should be, each as a line for people. One that does not
 * answer is late too: nobody can tell.
 */
export async function lateSnapshots(
  servers: readonly Machine[],
  { identity }: Access,
  { schedule, directory, name }: Snapshots,
): Promise<string[]> {
  const variables = { SNAPSHOT_DIRECTORY: directory, SNAPSHOT_NAME: name };
  const lines = await Promise.all(
    servers.map(async (server) => {
      try {
        const connection = await connect(server, identity, 5_000);
        try {
          const script = { script: "k3s-snapshots.sh", verb: "check", variables };
          const state = snapshotState.parse(await runScript(connection, script));
          const problem = lateness(schedule, state);
          return problem === undefined ? [] : [`${server.name}: ${problem}`];
        } finally {
          connection.close();
        }
      } catch (error) {
        return [`${server.name}: ${reasonOf(error)}`];
      }
    }),
  );
  return lines.flat();
}

/** What is wrong with a server's snapshots, if anything is; right after it became a member none is due. */
export function lateness(schedule: string, state: SnapshotState): string | undefined {
  const { newest, newestAt, etcdSince, now, timeZone, directory } = state;
  if (etcdSince === null) return "it is no member of etcd, which is what snapshots are taken of";
  const last = Math.max(newestAt ?? 0, etcdSince);
  const due = dueAfter(schedule, last, timeZone);
  if (due === undefined || due + grace >= now) return undefined;
  const seen =
    newest === null
      ? `there is no snapshot in ${directory}`
      : `the last snapshot in ${directory} is ${newest}`;
  return `${seen}; one was due at ${new Date(due * 1_000).toISOString()} (schedule ${schedule}, ${timeZone})`;
}

/** When the schedule comes next after a time, in unix seconds. */
function dueAfter(schedule: string, time: number, timeZone: string): number | undefined {
  const next = new Cron(schedule, { timezone: timeZone }).nextRun(new Date(time * 1_000));
  return next === null ? undefined : Math.floor(next.getTime() / 1_000);
}
