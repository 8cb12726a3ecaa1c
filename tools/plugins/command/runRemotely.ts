import type { Client, ClientChannel } from "ssh2";

import type { Operation } from "../protocol/plugin.ts";
import type { Properties } from "../protocol/values.ts";
import { dial } from "./dial.ts";
import { commandEnvironment, textOf } from "./inputs.ts";
import { CommandOutput } from "./output.ts";

/**
 * Runs a command on a machine by SSH. Variables travel as SSH environment, which the machine's
 * server must accept (AcceptEnv). A cancelled operation stops dialling, but not a running command.
 */
export async function runRemotely(
  command: string,
  inputs: Properties,
  previous: Properties,
  operation: Operation,
): Promise<Properties> {
  const client = await dial(inputs, operation);
  try {
    const output = new CommandOutput(inputs["logging"], (line) => operation.log.status(line));
    const env = { ...commandEnvironment(inputs, previous) };
    const failure = await execute(client, command, env, textOf(inputs, "stdin"), output);
    output.end();
    if (failure !== undefined) {
      throw new Error(`${failure}: running ${JSON.stringify(command)}:\n${output.both}`);
    }
    return output.outputs();
  } finally {
    client.end();
  }
}

/** Why the command failed, or undefined when it did not. */
function execute(
  client: Client,
  command: string,
  env: Record<string, string>,
  stdin: string | undefined,
  output: CommandOutput,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    client.exec(command, { env }, (error, channel) => {
      // Listening at once: the exit status may have come in the same packet as the answer.
      if (error !== undefined) {
        reject(error);
        return;
      }
      listen(channel, output, resolve);
      channel.end(stdin);
    });
  });
}

function listen(
  channel: ClientChannel,
  output: CommandOutput,
  finish: (failure: string | undefined) => void,
): void {
  let failure: string | undefined =
    "wait: remote command exited without exit status or exit signal";
  channel.on("data", (piece: Buffer) => output.take("stdout", piece));
  channel.stderr.on("data", (piece: Buffer) => output.take("stderr", piece));
  channel.on("exit", (status: number | null, killedBy?: string) => {
    if (status === null) failure = `Process exited from signal ${killedBy ?? "unknown"}`;
    else failure = status === 0 ? undefined : `Process exited with status ${status}`;
  });
  // A command need not read what it is given.
  channel.on("error", () => undefined);
  channel.on("close", () => finish(failure));
}
