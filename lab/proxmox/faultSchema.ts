import { z } from "zod";
import type { Fault } from "./faults.ts";

const tasks = z.enum([
  ...(["qmcreate", "qmclone", "qmstart", "qmstop", "qmshutdown", "qmreboot", "qmdestroy"] as const),
  ...([
    "qmmove",
    "qmsnapshot",
    "qmdelsnapshot",
    "qmrollback",
    "resize",
    "imgcopy",
    "imgdel",
  ] as const),
  "download",
]);
const number = z.number().exactOptional();
const name = z.string().exactOptional();

/** A fault as it comes from outside. */
export const faultSchema: z.ZodType<Fault> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("clone-lock"), template: number, times: number }),
  z.strictObject({
    kind: z.literal("task-failure"),
    task: tasks.exactOptional(),
    message: name,
    times: number,
  }),
  z.strictObject({ kind: z.literal("595"), node: name, skip: number, times: number }),
  z.strictObject({ kind: z.literal("storage-full"), storage: z.string() }),
  z.strictObject({ kind: z.literal("slow-task"), task: tasks.exactOptional(), ms: z.number() }),
]);
