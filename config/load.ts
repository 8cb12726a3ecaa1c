import * as pulumi from "@pulumi/pulumi";
import type { ClusterConfig } from "./clusterConfig.ts";
import { parseConfig } from "./parse.ts";
import { textKeys } from "./schema.ts";

const NAMESPACE = "triad";

/**
 * Reads the stack's config, of which the engine gives every value as text, maps and lists as JSON.
 *
 * @throws ConfigError with every fault
 */
export function loadConfig(): ClusterConfig {
  const raw: Record<string, unknown> = {};
  for (const [fullKey, text] of Object.entries(pulumi.runtime.allConfig())) {
    const [namespace, key = ""] = fullKey.split(/:(.*)/s);
    if (namespace !== NAMESPACE) continue;
    // A secret's text stays where it is; an empty one is the project's default.
    raw[key] = isSecret(fullKey) && text !== "" ? { secure: "" } : decoded(key, text);
  }
  return parseConfig(raw);
}

/** The secret of the key that signs DNS updates; there is one if the config has `dns`. */
export function dnsTsigSecret(): pulumi.Output<string> | undefined {
  const config = new pulumi.Config(NAMESPACE);
  return config.get("dnsTsigSecret") ? config.getSecret("dnsTsigSecret") : undefined;
}

function decoded(key: string, text: string): unknown {
  if (textKeys.includes(key)) return text;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // Not what the key takes, which the schema will say.
    return text;
  }
}

/** The SDK knows, and exports it, but leaves it out of its types. */
function isSecret(fullKey: string): boolean {
  const ask: unknown = Reflect.get(pulumi.runtime, "isConfigSecret");
  if (typeof ask !== "function") throw new Error("this @pulumi/pulumi can't tell secrets");
  return Reflect.apply(ask, undefined, [fullKey]) === true;
}
