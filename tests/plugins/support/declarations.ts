import type { Declaration } from "./project.ts";

/** Arguments or options of a declared resource. */
export type Values = Readonly<Record<string, unknown>>;

/** A local command that writes what it does into the file `journal`, and prints it. */
export function journaled(name: string, args: Values = {}): Declaration {
  const say = (verb: string): string =>
    `echo "${name} ${verb} $(cat) [$PULUMI_COMMAND_STDOUT]" | tee -a journal; echo loud >&2`;
  const verbs = { create: say("create"), update: say("update"), delete: say("delete") };
  return { type: "local", name, args: { ...verbs, stdin: "a", ...args } };
}

/** A command for a machine: `create` and `update` print their stdin and what was printed before. */
export function remote(name: string, connection: Values, args: Values = {}): Declaration {
  const create = "cat; echo created $WORD; echo aside >&2";
  const update = 'cat; echo "updated [$PULUMI_COMMAND_STDOUT]"';
  return { type: "remote", name, args: { connection, create, update, stdin: "in\n", ...args } };
}

/** One of each kind of random value; another keeper makes another text. */
export function randoms(keeper: string): readonly Declaration[] {
  const letters = { upper: false, numeric: false, special: false };
  const password = {
    length: 24,
    special: false,
    minNumeric: 5,
    keepers: { is: { secret: keeper } },
  };
  return [
    { type: "password", name: "password", args: password },
    { type: "text", name: "text", args: { length: 12, ...letters, keepers: { is: keeper } } },
    { type: "bytes", name: "bytes", args: { length: 16 } },
    { type: "id", name: "id", args: { byteLength: 4, prefix: "triad-" } },
  ];
}
