import { etcdMembers, membersOf } from "./etcdMembers.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { isServer, readNode } from "./nodes.ts";
import type { Machine } from "./request.ts";

/**
 * Whether a machine is wholly a server: a healthy voter, with a Node that is labelled as one. Where the datastore has no
 * members, as SQLite, the Node alone tells.
 */
export async function isHealthyServer(cluster: LiveCluster, machine: Machine): Promise<boolean> {
  const [members, node] = await Promise.all([
    etcdMembers(cluster),
    readNode(cluster, machine.nodeName),
  ]);
  if (!isServer(node)) return false;
  const own = membersOf(machine, members);
  return members.length === 0 || (own.length === 1 && own[0]?.role === "voter" && own[0].healthy);
}
