import { stringify } from "yaml";
import { endpointNames } from "../endpointAddress.ts";
import type { Endpoint, Flags, Machine } from "../request.ts";
import { identity, nodeLocal } from "./configKeys.ts";
import { effectiveConfig, type FoundConfig, mergeFiles, normalise } from "./foundConfig.ts";

/** Triad's own file, laid over what else is there. */
export const configPath = "/etc/rancher/k3s/config.yaml.d/50-triad.yaml";

/** How a server finds its cluster's data: it has them first, it gets them from a server, or it stays as it is. */
export type Way = { readonly clusterInit: true } | { readonly server: string } | "keep";

type Value = string | number | boolean | readonly (string | number | boolean)[];

/** What every server of the cluster says alike. */
export function sharedConfig({ server, apiServer, etcd }: Flags): Readonly<Record<string, Value>> {
  const list = (flags: Readonly<Record<string, string>>): string[] =>
    Object.entries(flags).map(([flag, value]) => `${flag}=${value}`);
  return {
    ...server,
    ...(Object.keys(apiServer).length > 0 ? { "kube-apiserver-arg": list(apiServer) } : {}),
    ...(Object.keys(etcd).length > 0 ? { "etcd-arg": list(etcd) } : {}),
  };
}

/** The API as joining servers reach it: by address, as a name may not resolve on them. */
export function joinUrl({ address, port }: Endpoint): string {
  return `https://${address}:${port}`;
}

export interface WantedServer {
  readonly machine: Pick<Machine, "nodeName" | "address">;
  readonly endpoint: Endpoint;
  readonly flags: Flags;
  readonly way: Way;
}

/**
 * Triad's configuration file for one server: how it finds its cluster, the endpoint's names for its certificate, what is
 * of this machine alone, and what all servers say alike. Rendered again from what it says, it stays the same.
 *
 * @param found how k3s runs on the machine so far, as server or agent. What only its command line says, which ends with
 *   this file, is carried over: the token too, so the result may be secret
 */
export function renderServerConfig(
  { machine, endpoint, flags, way }: WantedServer,
  found?: FoundConfig,
): string {
  const shared = sharedConfig(flags);
  const { carried, said } = wordsOf(found);
  const own = [...carried].filter(
    ([key]) => key !== "tls-san" && !(key in shared) && (nodeLocal.has(key) || isKept(key)),
  );
  const local: Readonly<Record<string, Value>> = {
    ...(said.has("node-ip") || said.has("flannel-iface") ? {} : { "node-ip": machine.address }),
    ...(said.has("node-name") || said.has("with-node-id") ? {} : { "node-name": machine.nodeName }),
    ...Object.fromEntries(own.map(([key, values]) => [key, asValue(key, values)])),
  };
  const names = normalise("tls-san", carried.get("tls-san") ?? []);
  const config = {
    ...(way === "keep" ? {} : "clusterInit" in way ? { "cluster-init": true } : way),
    "tls-san+": [...new Set([...endpointNames(endpoint), ...names])],
    ...Object.fromEntries(Object.entries(local).sort(([one], [other]) => (one < other ? -1 : 1))),
    ...shared,
  };
  // k3s reads YAML 1.1, in which many a bare word is something else: on, 0644, 1:30.
  const text = stringify(config, {
    lineWidth: 0,
    defaultStringType: "QUOTE_DOUBLE",
    defaultKeyType: "PLAIN",
  });
  return `# Written by Triad. What is to be otherwise belongs into its config.\n${text}`;
}

interface Words {
  /** What a new file of Triad's must say as well, since its place ends: the command line, the present file. */
  readonly carried: ReadonlyMap<string, readonly string[]>;
  /** Keys that are said anywhere. */
  readonly said: ReadonlySet<string>;
}

function wordsOf(found: FoundConfig | undefined): Words {
  if (found === undefined) return { carried: new Map(), said: new Set() };
  const { settings } = effectiveConfig(found);
  const present = found.files.filter(({ path }) => path === configPath).map(({ text }) => text);
  const fromArguments = [...settings].flatMap(([key, { values, source }]) =>
    source === "arguments" ? [[key, values] as const] : [],
  );
  const carried = new Map([...mergeFiles(present), ...fromArguments]);
  const isSaid = ({ values }: { values: readonly string[] }): boolean =>
    values.some((value) => value !== "");
  const said = [...settings].flatMap(([key, setting]) => (isSaid(setting) ? [key] : []));
  return { carried, said: new Set(said) };
}

/** Of a server's identity what Triad does not say itself. A joining server's token has a place of its own. */
function isKept(key: string): boolean {
  return identity.has(key) && key !== "cluster-init" && key !== "server";
}

function asValue(key: string, values: readonly string[]): Value {
  const entries = values.map((value) =>
    value === "true" ? true : value === "false" ? false : value,
  );
  const [only] = entries;
  return entries.length === 1 && only !== undefined && !key.endsWith("-arg") ? only : entries;
}
