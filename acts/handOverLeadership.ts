import type { Progress } from "./act.ts";
import { type EtcdMember, membersOf } from "./etcdMembers.ts";
import type { LiveCluster } from "./liveCluster.ts";
import type { Machine } from "./request.ts";

/** Before a server stops, another healthy voter leads etcd: an election would take seconds. */
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
}
