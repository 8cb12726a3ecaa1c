import type { Operation, ResourceType } from "../protocol/plugin.ts";
import type { Properties } from "../protocol/values.ts";
import { newId, textOf } from "./inputs.ts";

/**
 * Runs one command with a resource's inputs and gives its outputs; `previous` holds the outputs of
 * the time before.
 * @throws Error that holds the command and both its streams when the command fails.
 */
export type RunCommand = (
  command: string,
  inputs: Properties,
  previous: Properties,
  operation: Operation,
) => Promise<Properties>;

/**
 * The life of a Command, local or remote: a change of `triggers` replaces it, any other change runs
 * `update`, or `create` where there is none; `delete` runs with what the state remembers.
 * @see https://github.com/pulumi/pulumi-command/tree/master/provider/pkg/provider
 */
export function commandType(run: RunCommand): ResourceType {
  const silent = { stdout: "", stderr: "" };
  return {
    outputs: ["stdout", "stderr"],
    replaces: (input) => input === "triggers",
    async create(inputs, operation) {
      const command = textOf(inputs, "create");
      const outputs =
        command === undefined ? silent : await run(command, inputs, silent, operation);
      return { id: newId(operation.name), outputs };
    },
    async update(state, inputs, operation) {
      const command = textOf(inputs, "update") ?? textOf(inputs, "create");
      if (command !== undefined) return run(command, inputs, state, operation);
      return { stdout: state["stdout"] ?? "", stderr: state["stderr"] ?? "" };
    },
    async delete(state, operation) {
      const command = textOf(state, "delete");
      if (command !== undefined) await run(command, state, state, operation);
    },
  };
}
