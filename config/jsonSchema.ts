import { z } from "zod";
import { schema } from "./schema.ts";

/** As much of JSON Schema as describes the config. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly (string | number)[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  /** Ours: what to do when the value is missing, where an example alone would not help. */
  readonly cure?: string;
}

/** What may be written in a stack's file, as data. */
// eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the library's own type also allows `true` and `false` for schemas, which this one never has
export const jsonSchema = z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
