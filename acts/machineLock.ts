import { composeScript } from "../scripts/composeScript.ts";
import type { SshConnection } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import type { Progress } from "./act.ts";

export interface LockedScript {
  /** What is done, for the log and for a later run that finds it under way. */
  readonly act: string;
  readonly script: string;
  /** `ensure` unless told. */
  readonly verb?: string;
  readonly variables: Readonly<Record<string, string>>;
  /** How long it may take, in seconds. */
  readonly limit: number;
}

/**
 * Runs a script on a machine under the machine's own lock: a transient unit, which goes on if the
 * connection breaks and which a later run joins instead of starting a second one.
 *
 * @throws ScriptError when it fails or is not done within its limit
 */
export async function runLocked(
  connection: SshConnection,
  { act, script, verb = "ensure", variables, limit }: LockedScript,
  progress: Progress,
): Promise<unknown> {
  const name = connection.target.name;
  return await runScript(
    connection,
    {
      script: "machine-lock.sh",
      verb: "ensure",
      variables: {
        ACT: act,
        VERB: verb,
        LIMIT: String(limit),
        PAYLOAD: composeScript(script, variables),
      },
    },
    (line) => progress(`${name}: ${line}`),
  );
}

/** Whatever an earlier run began on a machine, and which outlived it, is waited for and never doubled. */
export async function settleMachine(connection: SshConnection, progress: Progress): Promise<void> {
  const { name } = connection.target;
  await runScript(
    connection,
    { script: "machine-lock.sh", verb: "settle", variables: { LIMIT: "900" } },
    (line) => progress(`${name}: ${line}`),
  );
}
