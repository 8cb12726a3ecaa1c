import { randomBytes } from "node:crypto";

import type { Properties } from "../protocol/values.ts";
import { isProperties } from "../protocol/values.ts";

/** The non-empty text of an input, or undefined. */
export function textOf(inputs: Properties, name: string): string | undefined {
  const value = inputs[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** An input that is a number, or its default. */
export function numberOf(inputs: Properties, name: string, fallback: number): number {
  const value = inputs[name];
  return typeof value === "number" ? value : fallback;
}

/** An input that maps names to texts; anything else is empty. */
export function textsOf(inputs: Properties, name: string): Readonly<Record<string, string>> {
  const value = inputs[name];
  if (!isProperties(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}

/**
 * The environment a command gets: what the program asked for, and, unless it declined, what the
 * command printed the time before.
 */
export function commandEnvironment(
  inputs: Properties,
  previous: Properties,
): Readonly<Record<string, string>> {
  const environment: Record<string, string> = { ...textsOf(inputs, "environment") };
  if (inputs["addPreviousOutputInEnv"] === false) return environment;
  const stdout = textOf(previous, "stdout");
  const stderr = textOf(previous, "stderr");
  if (stdout !== undefined) environment["PULUMI_COMMAND_STDOUT"] = stdout;
  if (stderr !== undefined) environment["PULUMI_COMMAND_STDERR"] = stderr;
  return environment;
}

/** A provider id: the logical name and eight hexadecimal digits. */
export function newId(name: string): string {
  return `${name}${randomBytes(4).toString("hex")}`;
}
