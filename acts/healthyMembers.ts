import type { Progress } from "./act.ts";
import { describeMembers, type EtcdMember, etcdMembers } from "./etcdMembers.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";

/**
 * The gate before any change of a server: no member is down and none is still learning. etcd would refuse a join
 * otherwise, and a restart could cost the quorum.
 *
 * @throws ActError after 5 minutes
 */
export async function healthyMembers(
  cluster: LiveCluster,
  progress: Progress,
): Promise<EtcdMember[]> {
  return await gate(
    async () => {
      const members = await etcdMembers(cluster);
      return members.every(({ role, healthy }) => role === "voter" && healthy)
        ? { found: members }
        : { seen: describeMembers(members) };
    },
    {
      what: "every member of etcd to be a healthy voter",
      limitMs: 300_000,
      why: "a change now would put the quorum at risk",
      cure: "bring the member named above back to health, or take its server off the list, then run pulumi up again",
      progress,
    },
  );
}
