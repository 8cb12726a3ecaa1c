import type { Progress } from "./act.ts";
import { type EtcdMember, etcdMembers, membersOf } from "./etcdMembers.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";
import type { Machine } from "./request.ts";

/**
 * Before a server stops, another healthy voter leads etcd: an election would take seconds.
 * @throws ActError when no other one leads within 30 seconds
 */
export async function handOverLeadership(
  cluster: LiveCluster,
  machine: Machine,
  members: readonly EtcdMember[],
  progress: Progress,
): Promise<void> {
  const [own] = membersOf(machine, members);
  const heir = members.find(
    ({ id, role, healthy }) => id !== own?.id && role === "voter" && healthy,
  );
  if (own?.leader !== true || heir === undefined) return;
  progress(`etcd's leadership goes from ${own.name} to ${heir.name}`);
  await cluster.distribution.moveLeader(cluster, own, heir);
  await gate(
    async () => {
      const leader = (await etcdMembers(cluster)).find((member) => member.leader);
      if (leader !== undefined && leader.id !== own.id) return { found: leader };
      return { seen: leader === undefined ? "nobody leads" : `${leader.name} leads` };
    },
    {
      what: `another member than ${own.name} to lead etcd`,
      limitMs: 30_000,
      why: "a leader that stops costs every client an election",
      cure: "see etcd's log on the members, then run this again",
      progress,
    },
  );
}
