import structs from "google-protobuf/google/protobuf/struct_pb.js";
import type { JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb.js";

import type { Properties } from "./values.ts";
import { isProperties } from "./values.ts";

/** A property map from its message; an absent message is an empty map. */
export function fromStruct(struct: Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {};
}

/** The message of a property map; what is undefined in it is left out. */
export function toStruct(properties: Properties): Struct {
  return structs.Struct.fromJavaScript(plainObject(properties));
}

function plainObject(properties: Properties): Record<string, JavaScriptValue> {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, plain(value)]),
  );
}

function plain(value: unknown): JavaScriptValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return value;
  }
  if (Array.isArray(value)) return value.map(plain);
  if (isProperties(value)) return plainObject(value);
  throw new TypeError(`a property cannot be a ${typeof value}`);
}
