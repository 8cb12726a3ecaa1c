import type { EtcdMember } from "../acts/etcdMembers.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import type { Observation } from "./observation.ts";

/**
 * Whether etcd has lost its quorum: no server could say who its members are, one of them has etcd's data, and a majority
 * of the list is silent or gone. Then nothing that Triad does by an `up` helps.
 *
 * @returns what to do, or nothing
 */
export function quorumFaults(
  { servers }: ClusterPlan,
  observations: readonly Observation[],
  members: readonly EtcdMember[] | undefined,
): string[] {
  if (members !== undefined) return [];
  const living = present(servers).flatMap(({ name }) => {
    const seen = observations.find(({ machine }) => machine === name);
    return seen?.state === "seen" ? [{ name, facts: seen.facts }] : [];
  });
  const survivor = living.find(
    ({ facts }) =>
      facts.etcdData || (facts.k3s.role === "server" && facts.k3s.datastore === "etcd"),
  );
  if (survivor === undefined || living.length > servers.length / 2) return [];
  const lost = servers.filter(({ name }) => !living.some((one) => one.name === name));
  return [
    `servers: ${lost.map(({ name }) => name).join(" and ")} ${lost.length === 1 ? "is" : "are"} off or gone, and etcd answers nowhere: it has no quorum; ` +
      `start them, or, if they are lost for good, run make recover STACK=<this stack> SERVER=${survivor.name} as docs/restore.md says`,
  ];
}
