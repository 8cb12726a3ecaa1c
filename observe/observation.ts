import * as z from "zod";

/** What k3s made of a machine, by its units and files. */
const k3sFacts = z.object({
  role: z.enum(["server", "agent", "none"]),
  /** As `k3s --version` writes it; empty where it says none. */
  version: z.string(),
  /** Of a server; none where it is external, or has not started yet. */
  datastore: z.enum(["sqlite", "etcd", "none"]),
  /** An etcd of an earlier life lies beside the living SQLite: k3s would start from it. */
  staleEtcd: z.boolean(),
});

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
  k3s: k3sFacts,
  /** The checkpoint that its disk went back to, where the checkpoint's guard keeps its server from starting. */
  heldBack: z.string().optional(),
});
export type MachineFacts = z.infer<typeof machineFacts>;

/** What `scripts/<distribution>-etcd.sh check` says on one server; that of k3s knows its own member's status only. */
export const etcdAnswer = z.object({
  datastore: z.string().default("etcd"),
  list: z.unknown().optional(),
  status: z.record(z.string(), z.unknown()).default({}),
});
export type EtcdAnswer = z.infer<typeof etcdAnswer>;

/** One look at one machine. */
export type Observation =
  | {
      readonly machine: string;
      readonly state: "seen";
      readonly facts: MachineFacts;
      /** How far its clock is from the operator's, in milliseconds. */
      readonly clockDriftMs: number;
      /** Absent where no etcd could be asked. */
      readonly etcd?: EtcdAnswer | undefined;
    }
  /** It is off, or not reachable: bad luck, not yet a fault. */
  | { readonly machine: string; readonly state: "silent"; readonly reason: string }
  /** It must not, or cannot, be worked with. */
  | { readonly machine: string; readonly state: "refused"; readonly reason: string };
