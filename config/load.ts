import * as pulumi from "@pulumi/pulumi";
import type { ClusterConfig } from "./clusterConfig.ts";
import { hostKeyOf } from "../seed/hostKey.ts";
import { onDisk, parseConfig } from "./parse.ts";
import type { World } from "./rules/rule.ts";
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
  return parseConfig(raw, world());
}

/** The secret of the key that signs DNS updates; there is one if the config has `dns`. */
export function dnsTsigSecret(): pulumi.Output<string> | undefined {
  return secret("dnsTsigSecret");
}

/** What is needed to create machines; there is something if the config has `proxmox`. */
export interface VmSecrets {
  /** Of Proxmox's API, `user@realm!name=secret`. */
  readonly token: pulumi.Output<string>;
  /** Of which host keys are made. */
  readonly hostKeySeed: pulumi.Output<string>;
}

/** The secrets with which machines are created. */
export function vmSecrets(): VmSecrets | undefined {
  const token = secret("proxmoxToken");
  const hostKeySeed = secret("hostKeySeed");
  return token && hostKeySeed && { token, hostKeySeed };
}

/** The token of Proxmox's API for the look before a run. It must not get into anything that is registered. */
export function proxmoxToken(): string | undefined {
  return plain("proxmoxToken");
}

function secret(key: string): pulumi.Output<string> | undefined {
  const text = plain(key);
  return text === undefined ? undefined : pulumi.secret(text);
}

function plain(key: string): string | undefined {
  // Not by `Config.get`, which warns of a secret that is read as text.
  return pulumi.runtime.allConfig()[`${NAMESPACE}:${key}`] || undefined;
}

/** Of the secret only what may be known gets out: its length, and public keys. */
function world(): World {
  const seed = plain("hostKeySeed");
  if (seed === undefined) return onDisk;
  return {
    ...onDisk,
    seedLength: seed.length,
    hostKeyOf: (cluster, machine) => hostKeyOf(seed, { cluster, machine }).public,
  };
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
