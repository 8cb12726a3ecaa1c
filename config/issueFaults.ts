import type { z } from "zod";
import { closestName } from "./closestName.ts";
import type { Fault } from "./configError.ts";
import { jsonSchema, type JsonSchema } from "./jsonSchema.ts";
import { pathText } from "./pathText.ts";

/** Says in our words what the schema found; an issue about several keys becomes several faults. */
export function issueFaults(issue: z.core.$ZodIssue, raw: unknown): Fault[] {
  const node = nodeAt(issue.path);
  const path = pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      problem: "is not a known key",
      cure: knownKeys(key, Object.keys(node.properties ?? {})),
    }));
  }
  if (issue.code === "custom") {
    return [{ path, problem: issue.message, cure: String(issue.params?.["cure"]) }];
  }
  const value = valueAt(raw, issue.path);
  if (issue.code === "invalid_value" && typeof value === "string") {
    return [{ path, problem: `${said(value)} is not supported`, cure: choice(value, node) }];
  }
  return [{ path, problem: problemWith(value), cure: wanted(node) }];
}

function knownKeys(key: string, known: readonly string[]): string {
  const guess = closestName(key, known);
  return guess === undefined ? `known are ${known.join(", ")}` : `did you mean ${guess}?`;
}

function choice(value: string, node: JsonSchema): string {
  const guess = closestName(value, node.enum ?? []);
  return guess === undefined ? wanted(node) : `did you mean ${guess}?`;
}

function problemWith(value: unknown): string {
  if (value === undefined) return "is missing";
  if (value === null) return "is empty";
  if (Array.isArray(value)) return "is a list";
  if (typeof value === "object") return "is a map";
  return `is ${said(value)}`;
}

function said(value: unknown): string {
  return JSON.stringify(value);
}

function wanted(node: JsonSchema): string {
  if (node.cure !== undefined) return node.cure;
  if (node.enum?.length === 1) return `give ${node.enum.join()}, the only one so far`;
  if (node.enum !== undefined) return `give one of ${node.enum.join(", ")}`;
  const [example] = node.examples ?? [];
  return `give ${kind(node)}${example === undefined ? "" : `, for instance ${String(example)}`}`;
}

function kind(node: JsonSchema): string {
  if (Array.isArray(node.type)) return "a string";
  if (node.type === "array") {
    return `a list of names, for instance [${String(node.items?.examples?.[0])}]`;
  }
  if (node.type === "object") return mapKind(node);
  if (node.type === "boolean") return "true or false";
  if (node.type === "integer" || node.type === "number") {
    return `${node.type === "integer" ? "a whole number" : "a number"}${range(node)}`;
  }
  return "a string";
}

function mapKind(node: JsonSchema): string {
  return node.properties === undefined
    ? "a map of names"
    : `a map with ${Object.keys(node.properties).join(", ")}`;
}

function range({ minimum, maximum }: JsonSchema): string {
  const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (isBounded) return ` from ${minimum} to ${maximum}`;
  return minimum !== undefined && minimum > 0 ? " above 0" : "";
}

function nodeAt(path: readonly PropertyKey[]): JsonSchema {
  return path.reduce<JsonSchema>((node, key) => {
    const named = node.properties?.[String(key)];
    if (named !== undefined) return named;
    if (typeof key === "number") return node.items ?? {};
    return typeof node.additionalProperties === "object" ? node.additionalProperties : {};
  }, jsonSchema);
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined,
    raw,
  );
}
