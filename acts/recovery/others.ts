import * as z from "zod";
import { connect, SshError, type SshIdentity } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import { reasonOf } from "../reasonOf.ts";
import type { Machine } from "../request.ts";

/** What a machine other than the survivor turned out to be. */
export interface Other {
  readonly machine: Machine;
  /**
   * `silent`: it does not answer. `another`: it shows another host key, so it is not what it was. `unseen`: it answers and
   * can't be looked at. `runs`: its etcd runs. `stopped`: it has been a server, and its etcd does not run. `none`: it has
   * nothing of a server.
   */
  readonly state: "silent" | "another" | "unseen" | "runs" | "stopped" | "none";
  readonly reason?: string;
}

/** What the other servers say of making one server out of the survivor. */
export interface OthersJudgement {
  /** Why nothing may be done. */
  readonly faults: readonly string[];
  /** What the person must know before consenting. */
  readonly warnings: readonly string[];
  /** Machines that have been servers, answer, and must not start as such again. */
  readonly toFence: readonly Machine[];
}

const observed = z.object({
  adminConf: z.boolean(),
  etcdData: z.boolean(),
  k3s: z.object({ role: z.string() }),
  listeners: z.array(z.object({ port: z.number() })),
});

/** By which clients and members reach an etcd. */
const etcdPorts = [2379, 2380];
const dialLimitMs = 5_000;

/** Looks at every machine at once, changing nothing. */
export async function lookAtOthers(
  machines: readonly Machine[],
  identity: SshIdentity,
): Promise<Other[]> {
  return await Promise.all(machines.map((machine) => lookAt(machine, identity)));
}

async function lookAt(machine: Machine, identity: SshIdentity): Promise<Other> {
  try {
    const connection = await connect(machine, identity, dialLimitMs);
    try {
      const answer = await runScript(connection, { script: "observe.sh", verb: "check" });
      return { machine, state: stateOf(observed.parse(answer)) };
    } finally {
      connection.close();
    }
  } catch (error) {
    const reason = reasonOf(error);
    if (!(error instanceof SshError)) return { machine, state: "unseen", reason };
    const states = { unreachable: "silent", "host-key": "another", credentials: "unseen" } as const;
    return { machine, state: states[error.kind], reason };
  }
}

function stateOf({
  adminConf,
  etcdData,
  k3s,
  listeners,
}: z.infer<typeof observed>): Other["state"] {
  if (listeners.some(({ port }) => etcdPorts.includes(port))) return "runs";
  return adminConf || etcdData || k3s.role === "server" ? "stopped" : "none";
}

/**
 * Whether the others are lost, as far as can be seen: an etcd that runs could have a majority with another one that is
 * only out of sight, or get it back.
 *
 * @param lost names of the servers that the list has beside the survivor
 * @param answering `address:port` that the survivor reaches although its operator gets no answer by SSH
 */
export function judgeOthers(
  others: readonly Other[],
  lost: readonly string[],
  answering: readonly string[],
): OthersJudgement {
  const faults: string[] = [];
  const warnings: string[] = [];
  const toFence: Machine[] = [];
  for (const { machine, state, reason } of others) {
    const { name, address } = machine;
    const isListed = lost.includes(name);
    const port = answering.find((one) => one.startsWith(`${address}:`));
    if (state === "runs") {
      faults.push(`${name} answers, and its etcd runs`);
    } else if (state === "unseen") {
      faults.push(`${name} answers, but what runs there can't be seen: ${reason ?? "no reason"}`);
    } else if (port !== undefined) {
      faults.push(`${name} can't be looked at by SSH, but the survivor reaches ${port}`);
    } else if (state === "another") {
      warnings.push(`${name} shows another host key and was not looked at: ${reason ?? ""}`);
    } else if (state === "stopped") {
      toFence.push(machine);
      warnings.push(
        `${name} answers, and has been a server whose etcd does not run now: if it can be started, the quorum comes back ` +
          `with nothing lost; otherwise it is kept from starting, and cleaned (a copy stays in /var/lib/triad/left there)`,
      );
    } else if (state === "silent" && isListed) {
      warnings.push(
        `${name} does not answer: it must be off, or you would have two clusters (${reason ?? ""})`,
      );
    }
  }
  return { faults, warnings, toFence };
}
