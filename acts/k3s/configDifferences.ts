import { ActError } from "../act.ts";
import type { Flags } from "../request.ts";
import {
  elsewhere,
  describeEntry,
  identity,
  isCritical,
  isOfEtcd,
  nodeLocal,
} from "./configKeys.ts";
import { effectiveConfig, type FoundConfig, normalise } from "./foundConfig.ts";
import { configPath, sharedConfig } from "./serverConfig.ts";

export interface Difference {
  readonly key: string;
  /** What runs and what the config says. */
  readonly seen: string;
  /** Whether k3s refuses a joining server that differs in it. */
  readonly critical: boolean;
}

/**
 * How a server that was found differs from what every server says alike. What is of its machine alone counts only where
 * the config says it for all; what needs etcd is not missed on SQLite.
 */
export function configDifferences(found: FoundConfig, flags: Flags): Difference[] {
  const { settings } = effectiveConfig(found);
  const shared = Object.entries(sharedConfig(flags));
  const wanted = new Map(shared.map(([key, value]) => [key, [value].flat().map(String)]));
  const keys = [...new Set([...settings.keys(), ...wanted.keys()])].sort();
  return [
    ...oddities(found),
    ...keys
      .filter((key) => !identity.has(key) && (!nodeLocal.has(key) || wanted.has(key)))
      .flatMap((key) => {
        const [runs, says] = [settings.get(key)?.values ?? [], wanted.get(key) ?? []];
        return differencesIn(key, runs, says, found.datastore === "sqlite");
      }),
  ];
}

/** What a configuration says in a way of which nobody can tell how it ends. */
function oddities(found: FoundConfig): Difference[] {
  const { settings, stray, twice } = effectiveConfig(found);
  const initialises = settings.get("cluster-init")?.values.at(-1) === "true";
  return [
    ...stray.map((word) => ({
      key: word,
      seen: `its command line has the word ${word}, which is no flag: k3s may ignore what follows it`,
      critical: false,
    })),
    ...twice.map((key) => ({
      key,
      seen: `it is told ${key} on its command line and otherwise in its files: which one holds depends on the version of k3s`,
      critical: isCritical(key, ""),
    })),
    ...(initialises && found.datastore === "sqlite"
      ? [
          {
            key: "cluster-init",
            seen: "it is told cluster-init but runs on SQLite: its next restart would convert it without a guard",
            critical: false,
          },
        ]
      : []),
  ];
}

function differencesIn(
  key: string,
  runs: readonly string[],
  says: readonly string[],
  onSqlite: boolean,
): Difference[] {
  const [running, wanted] = [normalise(key, runs), normalise(key, says)];
  const extra = running.filter((value) => !wanted.includes(value));
  const missing = wanted.filter((value) => !running.includes(value));
  // The snapshots' schedule is Triad's own default where nobody said one: it comes with the next restart.
  const awaited =
    (runs.length === 0 && key.startsWith("etcd-snapshot-")) || (onSqlite && isOfEtcd(key));
  const difference = (value: string, seen: string): Difference => ({
    key,
    seen,
    critical: isCritical(key, value),
  });
  return [
    ...extra.map((value) =>
      difference(value, `it runs with ${describeEntry(key, value)}, which the config does not say`),
    ),
    ...(awaited && extra.length === 0 ? [] : missing).map((value) =>
      difference(value, `it runs without ${describeEntry(key, value)}, which the config asks for`),
    ),
  ];
}

/**
 * Refuses a file of Triad's that others of the machine would overrule, or whose silence they would break.
 * @throws ActError naming what holds in the end, and the files
 */
export function refuseOverruled(
  found: FoundConfig,
  config: string,
  flags: Flags,
  machineName: string,
): void {
  const others = found.files.filter(({ path }) => path !== configPath);
  const files = [...others, { path: configPath, text: config }].sort(byReading);
  const differences = configDifferences(
    { ...found, arguments: [], files, datastore: "etcd" },
    flags,
  );
  if (differences.length === 0) return;
  const lines = differences.map(({ seen }) => `    ${seen}`);
  throw new ActError(
    `on ${machineName} other configuration of k3s would have the last word:\n${lines.join("\n")}`,
    "its servers must run with the same flags",
    `say it under triad:k3s.config, or take it out of ${others.map(({ path }) => path).join(", ") || "the environment of its unit"} on ${machineName}`,
  );
}

/** The main file comes first, those beside it by name. */
function byReading({ path: one }: { path: string }, { path: other }: { path: string }): number {
  const rank = (path: string): string => (path.includes(".d/") ? `1${path}` : `0${path}`);
  return rank(one) < rank(other) ? -1 : 1;
}

/** @throws ActError where k3s has its files in other places than the ones that Triad looks after */
export function refuseElsewhere(found: FoundConfig, machineName: string): void {
  const { settings } = effectiveConfig(found);
  for (const key of elsewhere) {
    const [value] = normalise(key, settings.get(key)?.values ?? []);
    if (value === undefined) continue;
    throw new ActError(
      `k3s on ${machineName} is told ${describeEntry(key, value)}`,
      "Triad looks after whole servers in k3s's own places: /etc/rancher/k3s/config.yaml, /var/lib/rancher/k3s with SQLite or etcd, port 6443",
      `take it out on ${machineName}, or leave that machine out of Triad's config`,
    );
  }
}
