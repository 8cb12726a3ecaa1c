import type { ClusterConfig } from "../config/clusterConfig.ts";
import { untilPause } from "../config/untilPause.ts";
import { cureOfRemoval } from "../config/values/k3sDefects.ts";

type ConfigOfLists = Pick<ClusterConfig, "loadBalancers" | "machines" | "servers" | "workers">;

/** What the config asks for and may have, but somebody should know at every run. */
export function warnings(config: ClusterConfig): string[] {
  const living = (names: readonly string[]): readonly string[] =>
    names.filter((name) => config.machines[name]?.gone !== true);
  return [
    ...gone(config),
    ...(config.pauseAfter === undefined
      ? evenNumber(living(config.servers).length)
      : pause(config.servers, untilPause(config.servers, config.pauseAfter))),
    ...sharedNodes(config, living(untilPause(config.servers, config.pauseAfter))),
    ...loneBalancer(living(config.loadBalancers)),
    ...(config.distribution === "k3s" ? brokenRemoval(config.version) : []),
    ...destroy(config),
  ];
}

function gone({ loadBalancers, machines, servers, workers }: ConfigOfLists): string[] {
  const lists = { servers, workers, loadBalancers };
  return Object.entries(lists).flatMap(([list, names]) =>
    names
      .filter((name) => machines[name]?.gone === true)
      .map(
        (name) =>
          `machines.${name}.gone: once an up has ended well with it, take ${name} off ${list}; or, when its ` +
          "successor runs, give the new hostKey and take gone away",
      ),
  );
}

function destroy({ name, onDestroy }: ClusterConfig): string[] {
  if (onDestroy === "leave") return [];
  return [
    onDestroy === "wipe"
      ? `onDestroy: pulumi destroy wipes the last server of ${name} too, and its data`
      : `onDestroy: pulumi destroy forgets ${name} and changes nothing on its machines; so does a shorter list of servers`,
  ];
}

function evenNumber(count: number): string[] {
  if (count % 2 === 1) return [];
  return [
    `servers: ${count} servers have no more quorum than ${count - 1}: ${survival(count)}; ` +
      `list ${count - 1} or ${count + 1} unless this is a pause on the way`,
  ];
}

function pause(all: readonly string[], now: readonly string[]): string[] {
  const waiting = all.slice(now.length);
  const stands = `paused with ${now.length} of ${all.length} servers`;
  const quorum = now.length % 2 === 0 ? `: ${survival(now.length)}` : "";
  return [`pauseAfter: ${stands}${quorum}; remove the key to go on with ${waiting.join(", ")}`];
}

function survival(count: number): string {
  const tolerated = count / 2 - 1;
  return tolerated === 0
    ? "when either fails, the API is gone until it returns"
    : `they survive the loss of ${tolerated}, as ${count - 1} would`;
}

function loneBalancer(loadBalancers: readonly string[]): string[] {
  const [only, ...others] = loadBalancers;
  if (only === undefined || others.length > 0) return [];
  return [
    `loadBalancers: ${only} is alone: when it fails, the API can't be reached by the endpoint ` +
      "however many servers live; name a second machine",
  ];
}

/** Servers on one Proxmox node fail together. */
function sharedNodes({ machines }: ConfigOfLists, servers: readonly string[]): string[] {
  if (servers.length < 3) return [];
  const tolerated = Math.ceil(servers.length / 2) - 1;
  const nodes = new Map<string, string[]>();
  for (const name of servers) {
    const node = machines[name]?.vm?.node;
    if (node !== undefined) nodes.set(node, [...(nodes.get(node) ?? []), name]);
  }
  return [...nodes]
    .filter(([, names]) => names.length > tolerated)
    .map(
      ([node, names]) =>
        `machines: ${listed(names)} are on the Proxmox node ${node}: when it fails or restarts, ${names.length} of ` +
        `${servers.length} servers are lost at once, and with them the quorum and the API; put ${tolerated} of them there at most, by machines.<name>.proxmox.node`,
    );
}

function listed(names: readonly string[]): string {
  return names.join(", ").replace(/, ([^,]*)$/, " and $1");
}

function brokenRemoval(version: string): string[] {
  const cure = cureOfRemoval(version);
  if (cure === undefined) return [];
  return [
    `version: k3s ${version} may not let a server leave (k3s issues 12908, 12920), so Triad refuses ` +
      `to take one away; upgrade to ${cure} before you shorten the list`,
  ];
}
