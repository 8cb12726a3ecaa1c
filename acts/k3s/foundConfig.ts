import { parse } from "yaml";
import * as z from "zod";
import type { SshConnection } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import { booleans, commaLists, defaults, environmentKey, keyName, lists } from "./configKeys.ts";

/** What `k3s-config.sh check` says; it may hold the cluster's token and belongs in memory only. */
export const foundConfig = z.object({
  /** Of the unit's command line, after the program's name. */
  arguments: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  /** Configuration files in the order in which k3s reads them. */
  files: z.array(z.object({ path: z.string(), text: z.string() })),
  datastore: z.enum(["sqlite", "etcd", "none"]),
  /** Such as `v1.34.2+k3s1`, or empty. */
  version: z.string(),
  /** Of the API server's audit policy; empty where there is none. */
  auditPolicySha256: z.string().default(""),
  /** Whether files were changed by a run that ended before it restarted k3s. */
  restartOwed: z.boolean().default(false),
  /** Whether it has the password by which the cluster knows its Node again. */
  nodePassword: z.boolean(),
});
export type FoundConfig = z.infer<typeof foundConfig>;

/** Reads how k3s is configured on a machine, as server or agent. */
export async function readConfig(connection: SshConnection): Promise<FoundConfig> {
  return foundConfig.parse(await runScript(connection, { script: "k3s-config.sh", verb: "check" }));
}

/** A key as it holds in the end, and where it was said. */
export interface Setting {
  readonly values: readonly string[];
  readonly source: "arguments" | "files" | "environment";
}

export interface EffectiveConfig {
  readonly settings: ReadonlyMap<string, Setting>;
  /** Words of the command line that belong to no flag: k3s may ignore all that follows them. */
  readonly stray: readonly string[];
  /** Lists that are said on the command line and in files, and not the same there. */
  readonly twice: readonly string[];
}

/**
 * What k3s makes of its command line, files and environment, in this order of precedence.
 * @see https://docs.k3s.io/installation/configuration#configuration-file
 */
export function effectiveConfig(found: FoundConfig): EffectiveConfig {
  const { settings: fromArguments, stray } = parseArguments(found.arguments);
  const fromFiles = mergeFiles(found.files.map(({ text }) => text));
  const settings = new Map<string, Setting>();
  for (const [variable, value] of Object.entries(found.environment)) {
    const key = environmentKey(variable);
    if (key !== undefined && value !== "") {
      settings.set(key, { values: [value], source: "environment" });
    }
  }
  for (const [key, values] of fromFiles) settings.set(key, { values, source: "files" });
  for (const [key, values] of fromArguments) settings.set(key, { values, source: "arguments" });
  const twice = [...fromArguments].flatMap(([key, values]) => {
    const other = fromFiles.get(key);
    const same = other === undefined || equal(normalise(key, values), normalise(key, other));
    return lists.has(key) && !same ? [key] : [];
  });
  return { settings, stray, twice };
}

interface Arguments {
  readonly settings: ReadonlyMap<string, readonly string[]>;
  readonly stray: readonly string[];
}

/** Reads a command line: `--flag=value`, `--flag value`, `--boolean`, flags said several times. */
export function parseArguments(args: readonly string[]): Arguments {
  const settings = new Map<string, readonly string[]>();
  const stray: string[] = [];
  const rest = [...args];
  if (rest[0] === "server" || rest[0] === "agent") rest.shift();
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!/^-+[^-=]/.test(word)) {
      stray.push(word);
      continue;
    }
    const at = word.indexOf("=");
    const key = keyName(at === -1 ? word : word.slice(0, at));
    const value =
      at === -1 ? (booleans.has(key) ? "true" : (rest.shift() ?? "")) : word.slice(at + 1);
    settings.set(key, lists.has(key) ? [...(settings.get(key) ?? []), value] : [value]);
  }
  return { settings, stray };
}

const scalar = z.union([z.string(), z.number(), z.bigint(), z.boolean(), z.null(), z.undefined()]);
const file = z.record(z.string(), z.union([scalar, z.array(scalar)])).nullish();

/** Lays files over each other: a later value replaces an earlier one, that of `key+` is added to it. */
export function mergeFiles(texts: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const merged = new Map<string, readonly string[]>();
  for (const text of texts) {
    // YAML 1.1 as k3s reads it: there `yes` is a boolean and 0644 an octal number.
    const entries: unknown = parse(text, { version: "1.1" });
    for (const [name, value] of Object.entries(file.parse(entries) ?? {})) {
      const key = keyName(name.replace(/\+$/, ""));
      const values = (Array.isArray(value) ? value : [value]).map((one) => String(one ?? ""));
      merged.set(key, name.endsWith("+") ? [...(merged.get(key) ?? []), ...values] : values);
    }
  }
  return merged;
}

const truths: Readonly<Record<string, string>> = {
  "1": "true",
  t: "true",
  "0": "false",
  f: "false",
};

/** The entries of a key in one writing and order; none where they say what k3s does anyway. */
export function normalise(key: string, values: readonly string[]): readonly string[] {
  const entries = values
    .flatMap((value) => (commaLists.has(key) ? value.split(",") : [value]))
    .map((value) => {
      if (booleans.has(key)) return truths[value.toLowerCase()] ?? value.toLowerCase();
      if (key === "write-kubeconfig-mode") return value.replace(/^0+/, "");
      return key.endsWith("-arg") ? value.trim().replace(/^--/, "") : value.trim();
    })
    .filter((value) => value !== "");
  const sorted = [...new Set(entries)].sort();
  if (booleans.has(key) && equal(sorted, ["false"]) && defaults[key] === undefined) return [];
  return equal(sorted, defaults[key] ?? []) ? [] : sorted;
}

export function equal(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}
