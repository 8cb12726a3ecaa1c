import type { MachinePlan } from "../plan/clusterPlan.ts";
import { connect, SshError, type SshConnection, type SshIdentity } from "../ssh/connection.ts";
import { runScript, ScriptError } from "../ssh/runScript.ts";
import { machineFacts, type Observation } from "./observation.ts";

const dialLimitMs = 4_000;

/** Looks at one machine, within a few seconds, and changes nothing on it. */
export async function look(machine: MachinePlan, identity: SshIdentity): Promise<Observation> {
  try {
    const connection = await connect(machine, identity, dialLimitMs);
    try {
      return await lookThrough(machine, connection);
    } finally {
      connection.close();
    }
  } catch (error) {
    return unseen(machine, error);
  }
}

async function lookThrough(machine: MachinePlan, connection: SshConnection): Promise<Observation> {
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
