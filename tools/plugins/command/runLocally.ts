import { spawn } from "node:child_process";

import type { Operation } from "../protocol/plugin.ts";
import type { Properties } from "../protocol/values.ts";
import { commandEnvironment, textOf } from "./inputs.ts";
import { CommandOutput } from "./output.ts";

/**
 * Runs a command on this computer by `/bin/sh -c` or the given interpreter. An operation that is
 * cancelled kills the interpreter, not what it started in the background.
 */
export async function runLocally(
  command: string,
  inputs: Properties,
  previous: Properties,
  operation: Operation,
): Promise<Properties> {
  const output = new CommandOutput(inputs["logging"], (line) => operation.log.status(line));
  const failure = await runProcess(command, inputs, previous, operation.signal, output);
  output.end();
  if (failure !== undefined) {
    throw new Error(`${failure}: running ${JSON.stringify(command)}:\n${output.both}`);
  }
  return output.outputs();
}

function runProcess(
  command: string,
  inputs: Properties,
  previous: Properties,
  signal: AbortSignal,
  output: CommandOutput,
): Promise<string | undefined> {
  const [program, ...args] = [...interpreterOf(inputs), command];
  const stdin = textOf(inputs, "stdin");
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: textOf(inputs, "dir"),
      env: { ...process.env, ...commandEnvironment(inputs, previous) },
      stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const kill = (): void => void child.kill("SIGKILL");
    if (signal.aborted) kill();
    signal.addEventListener("abort", kill);
    child.stdout?.on("data", (piece: Buffer) => output.take("stdout", piece));
    child.stderr?.on("data", (piece: Buffer) => output.take("stderr", piece));
    // A command need not read what it is given.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(stdin);
    child.on("error", (error) => resolve(error.message));
    child.on("close", (status, killedBy) => {
      signal.removeEventListener("abort", kill);
      if (killedBy !== null) resolve(`signal: ${killedBy}`);
      else resolve(status === 0 ? undefined : `exit status ${status}`);
    });
  });
}

function interpreterOf(inputs: Properties): [string, ...string[]] {
  const given = inputs["interpreter"];
  const [program, ...args] = Array.isArray(given) ? given.map(String) : [];
  return program === undefined ? ["/bin/sh", "-c"] : [program, ...args];
}
