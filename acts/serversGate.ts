import type { Progress } from "./act.ts";
import { describeMembers, etcdMembers } from "./etcdMembers.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";

/**
 * Waits until every listed server is a healthy voter: nobody is pointed to an endpoint behind which the servers are
 * not whole.
 *
 * @throws ActError after 2 minutes
 */
export async function serversGate(
  cluster: LiveCluster,
  servers: readonly string[],
  progress: Progress,
): Promise<void> {
  await gate(
    async () => {
      const members = await etcdMembers(cluster);
      // SQLite has one server, and no members.
      if (members.length === 0 && servers.length === 1) return { found: members };
      const missing = servers.filter(
        (server) =>
          !members.some(
            ({ name, role, healthy }) => name === server && role === "voter" && healthy,
          ),
      );
      if (missing.length === 0) return { found: members };
      return { seen: `${missing.join(", ")} missing; members: ${describeMembers(members)}` };
    },
    {
      what: `${servers.join(", ")} to be servers`,
      limitMs: 120_000,
      why: "this step is done once all servers are there",
      cure: `see journalctl -u ${cluster.distribution.units.server} on the server that is missing, then run pulumi up again`,
      progress,
    },
  );
}
