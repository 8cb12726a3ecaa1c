import * as z from "zod";

/** What `scripts/observe.sh` says of a machine. */
export const machineFacts = z.object({
  diskFreeGiB: z.number(),
  memoryMiB: z.number(),
  /** The machine's clock, Unix time in milliseconds. */
  clockMs: z.number(),
  listeners: z.array(z.object({ port: z.number(), process: z.string() })),
  kubeletConf: z.boolean(),
  adminConf: z.boolean(),
  etcdData: z.boolean(),
});
export type MachineFacts = z.infer<typeof machineFacts>;

/** One look at one machine. */
export type Observation =
  | {
      readonly machine: string;
      readonly state: "seen";
      readonly facts: MachineFacts;
      /** How far its clock is from the operator's, in milliseconds. */
      readonly clockDriftMs: number;
    }
  /** It is off, or not reachable: bad luck, not yet a fault. */
  | { readonly machine: string; readonly state: "silent"; readonly reason: string }
  /** It must not, or cannot, be worked with. */
  | { readonly machine: string; readonly state: "refused"; readonly reason: string };
