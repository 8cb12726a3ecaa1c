import { z } from "zod";
import { text } from "../values/complaint.ts";
import { judgeDnsLabel, judgeWorkload } from "../values/names.ts";
import { judgeServerDirectory } from "../values/serverDirectory.ts";
import { judgeSchedule } from "../values/schedule.ts";

const bare = z.union([z.string(), z.number(), z.boolean()]);

const snapshots = z.strictObject({
  schedule: text(judgeSchedule, "0 2 * * *")
    .default("0 2 * * *")
    .describe("When, as cron has it: minute hour day month weekday, in the server's time zone."),
  name: text(judgeDnsLabel, "etcd-snapshot")
    .default("etcd-snapshot")
    .describe("The first part of a snapshot's file name."),
  compress: z.boolean().default(true).describe("Whether they are zipped."),
  retention: z.int().min(1).default(14).describe("How many scheduled snapshots each server keeps."),
  directory: text(judgeServerDirectory, "/var/lib/triad/snapshots")
    .default("/var/lib/triad/snapshots")
    .describe("On every server. Not below the datastore, which is wiped when a server leaves."),
});

/** What holds for k3s only. */
export const k3s = z.strictObject({
  config: z
    .record(
      z.string(),
      z.union([bare, z.array(bare)]).meta({
        cure: "give a string, a number, true or false, or a list of these, as in k3s's config.yaml",
      }),
    )
    .prefault({})
    .describe(
      "Keys of k3s's config.yaml, the same on every server, for instance `disable: [servicelb]`. Those of one machine and those that Triad sets are refused.",
    ),
  snapshots: snapshots.prefault({}).describe("When snapshots of etcd are taken, and kept where."),
  drain: z
    .boolean()
    .default(false)
    .describe(
      "Whether an agent is drained before it becomes a server. Otherwise it is cordoned only, and its pods run on.",
    ),
  keepRunning: z
    .array(text(judgeWorkload, "kube-system/coredns"))
    .prefault([])
    .describe(
      "Workloads that are not restarted after the conversion of SQLite, as namespace/name. They may miss what happens from then on.",
    ),
});
