import type { Progress } from "./act.ts";
import { describeMembers, etcdMembers, membersOf } from "./etcdMembers.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";
import type { Machine } from "./request.ts";

/**
 * Takes a machine's members out of etcd's list.
 * @param sending called before the first request to remove one: from then on nobody can tell whether it was heard
 * @throws ActError when one is still there after a minute
 */
export async function removeMembers(
  cluster: LiveCluster,
  machine: Machine,
  progress: Progress,
  sending: () => void = () => undefined,
): Promise<void> {
  let told = false;
  await gate(
    async () => {
      const own = membersOf(machine, await etcdMembers(cluster));
      if (own.length === 0) return { found: true };
      if (!told) progress(`removing from etcd: ${describeMembers(own)}`);
      told = true;
      for (const member of own) {
        sending();
        await cluster.distribution.removeMember(cluster, member);
      }
      return { seen: `still in the list: ${describeMembers(own)}` };
    },
    {
      what: `${machine.name} to be out of etcd's member list`,
      limitMs: 60_000,
      why: "its member counts for the quorum as long as it is in the list",
      cure: `see etcd's log on ${cluster.server.name}, then run this again`,
      progress: () => undefined,
    },
  );
}

/** A removed member whose etcd still ran would add itself again: the list is watched for a while. */
export async function staysAway(
  cluster: LiveCluster,
  machine: Machine,
  progress: Progress,
): Promise<void> {
  let since: number | undefined;
  await gate(
    async () => {
      const own = membersOf(machine, await etcdMembers(cluster));
      if (own.length > 0) {
        since = undefined;
        return { seen: `still in the list: ${describeMembers(own)}` };
      }
      since ??= Date.now();
      return Date.now() - since > 3_000 ? { found: true } : { seen: "gone, watching the list" };
    },
    {
      what: `${machine.name} to stay out of etcd's member list`,
      limitMs: 60_000,
      why: "its member counts for the quorum as long as it is in the list",
      cure: `stop ${cluster.distribution.units.server} and etcd on ${machine.name}, then run this again`,
      progress,
    },
  );
}
