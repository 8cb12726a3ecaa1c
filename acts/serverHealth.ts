import type { Progress } from "./act.ts";
import { describeMembers, etcdMembers, membersOf } from "./etcdMembers.ts";
import { gate } from "./gate.ts";
import type { LiveCluster } from "./liveCluster.ts";
import { isReady, isServer, readNode } from "./nodes.ts";
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

/**
 * Waits until a machine is wholly a server and its Node is Ready, so that nobody takes a join for done that is not.
 *
 * @throws ActError after 5 minutes
 */
export async function wholeServer(
  cluster: LiveCluster,
  machine: Machine,
  progress: Progress,
): Promise<void> {
  await gate(
    async () => {
      if (!(await isHealthyServer(cluster, machine))) {
        const own = membersOf(machine, await etcdMembers(cluster));
        return { seen: `etcd says of it: ${describeMembers(own) || "not a member"}` };
      }
      // Without a network plugin no Node is ever Ready, on the others as on this one.
      const isDown = !isReady(await readNode(cluster, machine.nodeName));
      if (isDown && isReady(await readNode(cluster, cluster.server.nodeName))) {
        return { seen: "its Node is not Ready" };
      }
      return { found: true };
    },
    {
      what: `${machine.name} to be a healthy voter and a Ready server`,
      limitMs: 300_000,
      why: "the next machine must not join before this one is whole",
      cure: `see journalctl -u ${cluster.distribution.units.server} on ${machine.name} and its pods in kube-system, then run pulumi up again`,
      progress,
    },
  );
}
