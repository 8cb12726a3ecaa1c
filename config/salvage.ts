import { z } from "zod";
import { schema, type ParsedConfig } from "./schema.ts";

/** A value of which any part may be missing because it was not well-formed. */
export type Draft<Value> = Value extends readonly (infer Item)[]
  ? readonly (Draft<Item> | undefined)[]
  : Value extends object
    ? { readonly [Key in keyof Value]?: Draft<Value[Key]> | undefined }
    : Value;

/** A config of which any part may be missing. */
export type ConfigDraft = Draft<ParsedConfig>;

/**
 * All that is well-formed in a config that as a whole may not be, so that the rules between keys
 * are checked in the same run as the keys themselves. Lists keep their positions, maps their keys.
 */
export function salvage(raw: Readonly<Record<string, unknown>>): ConfigDraft {
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- each part that the walk gives is what the schema gives or nothing, which is what a draft is
  return salvageBy(schema, raw) as ConfigDraft;
}

function salvageBy(type: unknown, raw: unknown): unknown {
  if (type instanceof z.ZodExactOptional) {
    return raw === undefined ? undefined : salvageBy(type.unwrap(), raw);
  }
  if (type instanceof z.ZodPrefault) {
    return salvageBy(type.unwrap(), raw === undefined ? type.def.defaultValue : raw);
  }
  if (type instanceof z.ZodObject && isMap(raw)) {
    const shape: Readonly<Record<string, unknown>> = type.shape;
    return mapValues(shape, (part, key) => salvageBy(part, raw[key]));
  }
  if (type instanceof z.ZodRecord && isMap(raw)) {
    return mapValues(raw, (value) => salvageBy(type.valueType, value));
  }
  if (type instanceof z.ZodArray && Array.isArray(raw)) {
    return raw.map((item: unknown) => salvageBy(type.element, item));
  }
  return type instanceof z.ZodType ? type.safeParse(raw).data : undefined;
}

function mapValues(
  map: Readonly<Record<string, unknown>>,
  change: (value: unknown, key: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value, key)]));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
