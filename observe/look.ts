import type { DistributionName, MachineConfig } from "../config/clusterConfig.ts";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import { connect, SshError, type SshConnection } from "../ssh/connection.ts";
import { runScript, ScriptError } from "../ssh/runScript.ts";
import { type EtcdAnswer, etcdAnswer, machineFacts, type Observation } from "./observation.ts";

const dialLimitMs = 4_000;

/** Looks at one machine, within a few seconds, and changes nothing on it. */
export async function look(
  machine: MachinePlan,
  { distribution, ssh }: ClusterPlan,
): Promise<Observation> {
  try {
    const connection = await connect(machine, ssh, dialLimitMs);
    try {
      // Both at once: each costs a round trip and a shell.
      const etcd = machine.role === "server" ? askEtcd(connection, distribution) : undefined;
      return { ...(await lookThrough(machine, connection)), etcd: await etcd };
    } finally {
      connection.close();
    }
  } catch (error) {
    return unseen(machine, error);
  }
}

/** Asks the etcd of a machine that nobody has looked at; undefined where it does not answer. */
export async function lookAtEtcd(
  machine: MachineConfig,
  { distribution, ssh }: ClusterPlan,
): Promise<EtcdAnswer | undefined> {
  const connection = await connect(machine, ssh, dialLimitMs).catch(() => undefined);
  try {
    return connection && (await askEtcd(connection, distribution));
  } finally {
    connection?.close();
  }
}

/** Never fails: whether there should be an etcd is not known here. */
async function askEtcd(
  connection: SshConnection,
  distribution: DistributionName,
): Promise<EtcdAnswer | undefined> {
  try {
    const script = `${distribution}-etcd.sh`;
    return etcdAnswer.parse(await runScript(connection, { script, verb: "check" }));
  } catch {
    return undefined;
  }
}

async function lookThrough(
  machine: MachinePlan,
  connection: SshConnection,
): Promise<Observation & { readonly state: "seen" }> {
  const before = Date.now();
  const facts = machineFacts.parse(
    await runScript(connection, { script: "observe.sh", verb: "check" }),
  );
  const after = Date.now();
  // The clock was read at some moment between the two: only what lies outside is drift.
  const clockDriftMs = Math.max(0, before - facts.clockMs, facts.clockMs - after);
  return { machine: machine.name, state: "seen", facts, clockDriftMs };
}

function unseen(machine: MachinePlan, error: unknown): Observation {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof SshError && error.kind === "unreachable") {
    return { machine: machine.name, state: "silent", reason };
  }
  if (error instanceof ScriptError && /^sudo: /m.test(reason)) {
    const { user } = machine.ssh;
    return {
      machine: machine.name,
      state: "refused",
      reason: `${user} may not use sudo without a password there; add "${user} ALL=(ALL) NOPASSWD: ALL" to /etc/sudoers.d, or log in as root`,
    };
  }
  return { machine: machine.name, state: "refused", reason };
}
