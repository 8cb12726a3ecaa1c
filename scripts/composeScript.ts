import { readFileSync } from "node:fs";
import { join } from "node:path";

const variableName = /^[A-Z][A-Z0-9_]*$/;

/** Names that bash or scripts/lib.sh give a meaning of their own. */
const reservedNames = new Set(
  "BASHOPTS BASH_ENV EUID EXTRA_VERBS IFS LC_ALL PATH PPID ROOT SECONDS SHELLOPTS TRIAD_ROOT UID".split(
    " ",
  ),
);

/** A NUL, or half of a character: neither passes through bash unchanged. */
const notText = /\0|\p{Surrogate}/u;

/** A line by which a script names a further file of scripts/ that belongs to it. */
const partLine = /^# part: (\S+)$/gm;

/** A value as one word of bash, whatever it holds. */
function quote(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

function assignment([name, value]: [string, string]): string {
  if (!variableName.test(name) || reservedNames.has(name)) {
    throw new RangeError(
      `variable ${name}: not a name that a script may be given; use CAPITALS_AND_DIGITS`,
    );
  }
  // The value may be secret: only its name is told.
  if (notText.test(value)) {
    throw new RangeError(
      `variable ${name}: its value is not text (a NUL or half a character in it)`,
    );
  }
  return `${name}=${quote(value)}`;
}

/**
 * The text for the standard input of `bash -s -- <verb>`, run as root: the variables, scripts/lib.sh,
 * the script, the parts it names, and the call of `main`.
 *
 * All of it is one brace group, so bash has read the last line before it runs the first: a connection
 * cut on the way runs nothing. The script itself sees an empty standard input.
 *
 * @param script name of a file in scripts/, such as `haproxy.sh`
 * @param variables by name in capitals; the values may hold anything but NUL, secrets too
 * @throws RangeError when a name or a value cannot be a variable of bash
 */
export function composeScript(script: string, variables: Readonly<Record<string, string>>): string {
  const read = (name: string): string => readFileSync(join(import.meta.dirname, name), "utf8");
  const text = read(script);
  const parts = Array.from(text.matchAll(partLine), ([, name = ""]) => read(name));
  return [
    "{",
    "set -euo pipefail",
    ...Object.entries(variables).map(assignment),
    read("lib.sh"),
    text,
    ...parts,
    'main "$@" </dev/null',
    "exit",
    "}",
    "",
  ].join("\n");
}
