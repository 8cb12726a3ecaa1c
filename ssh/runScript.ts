import { composeScript } from "../scripts/composeScript.ts";
import type { SshConnection } from "./connection.ts";

/** A script on a machine ended with an error; the message is what it wrote. */
export class ScriptError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ScriptError";
  }
}

export interface ScriptCall {
  /** Name of a file in `scripts/`. */
  readonly script: string;
  readonly verb: string;
  readonly variables?: Readonly<Record<string, string>>;
}

/** The command line that runs a composed script as root; the script itself goes in by stdin. */
export function rootCommand(user: string, verb: string): string {
  return `${user === "root" ? "" : "sudo -n "}bash -s -- ${verb}`;
}

/**
 * Runs one of `scripts/` as root on a machine.
 *
 * @returns what the script's last line of output says, parsed
 * @throws ScriptError when the script fails; SshError when the connection breaks
 */
export async function runScript(
  connection: SshConnection,
  call: ScriptCall,
  onProgress?: (line: string) => void,
): Promise<unknown> {
  const { name, ssh } = connection.target;
  const { exitCode, stdout, stderr } = await connection.run(
    rootCommand(ssh.user, call.verb),
    composeScript(call.script, call.variables ?? {}),
    onProgress,
  );
  if (exitCode !== 0) {
    const failed = `${name}: ${call.script} ${call.verb} failed (exit ${exitCode})`;
    // Progress has told its words already.
    const said = onProgress === undefined ? stderr.trim().split("\n").slice(-12) : [];
    throw new ScriptError([failed, ...said].join("\n"));
  }
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "null");
}
