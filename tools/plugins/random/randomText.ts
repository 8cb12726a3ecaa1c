import { randomInt } from "node:crypto";

import type { Properties } from "../protocol/values.ts";

const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = lower.toUpperCase();
const digits = "0123456789";
const specials = "!@#$%&*()-_=+[]{}<>:?";

/**
 * The defaults of RandomPassword and RandomString, which also appear in their outputs.
 * @see https://registry.terraform.io/providers/hashicorp/random/latest/docs/resources/password
 */
const defaults = {
  lower: true,
  minLower: 0,
  minNumeric: 0,
  minSpecial: 0,
  minUpper: 0,
  number: true,
  numeric: true,
  special: true,
  upper: true,
};

/**
 * A random text by the inputs of RandomPassword and RandomString, and, as outputs, the defaults of
 * what was not given.
 * @throws Error when the minimums are more than the length, or no characters are left.
 */
export function randomText(given: Properties): {
  readonly text: string;
  readonly outputs: Properties;
} {
  const numeric = given["numeric"] ?? given["number"] ?? true;
  const inputs = { ...defaults, ...given, number: numeric, numeric };
  const classes = [
    { on: inputs.lower, least: inputs.minLower, characters: lower },
    { on: inputs.upper, least: inputs.minUpper, characters: upper },
    { on: inputs.numeric, least: inputs.minNumeric, characters: digits },
    { on: inputs.special, least: inputs.minSpecial, characters: specialsOf(given) },
  ];
  const all = classes.map(({ on, characters }) => (on === false ? "" : characters)).join("");
  const needed = classes.flatMap(({ least, characters }) =>
    Array.from({ length: least }, () => pick(characters)),
  );
  const length = Number(given["length"]);
  if (needed.length > length) throw new Error(`length: ${length} is less than the minimums' sum`);
  if (all === "") throw new Error("no kind of character is allowed");
  const rest = Array.from({ length: length - needed.length }, () => pick(all));
  const outputs = Object.entries(inputs).filter(([input]) => !(input in given));
  return {
    text: shuffled([...needed, ...rest]).join(""),
    outputs: Object.fromEntries(outputs),
  };
}

function specialsOf(given: Properties): string {
  const own = given["overrideSpecial"];
  return typeof own === "string" && own !== "" ? own : specials;
}

function pick(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}

function shuffled(characters: readonly string[]): readonly string[] {
  const result = [...characters];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    const [a, b] = [result[last] ?? "", result[other] ?? ""];
    result[last] = b;
    result[other] = a;
  }
  return result;
}
