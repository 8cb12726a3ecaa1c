import { ActError, type Progress } from "../act.ts";
import { describeMembers, type EtcdMember, etcdMembers, membersOf } from "../etcdMembers.ts";
import { findLiveCluster, type LiveCluster, NoLivingServer } from "../liveCluster.ts";
import { lookAtOthers, type Other } from "../recovery/others.ts";
import type { Machine } from "../request.ts";
import type { RollbackRequest, Standing } from "./request.ts";

/** A server may boot, and its API be ready soon. */
const patienceMs = 30_000;

/**
 * Whether the server has peers, by evidence: etcd's own list where anybody answers for it, else by a look at every other
 * machine.
 *
 * @throws ActError where nobody can tell, or the others are lost
 */
export async function standingOf(request: RollbackRequest, progress: Progress): Promise<Standing> {
  const { membership } = request;
  const cluster = await findLiveCluster(membership, progress, [], patienceMs).catch(
    (error: unknown) => {
      if (!(error instanceof NoLivingServer)) throw error;
      progress("no server's API answers: looking at the machines themselves");
      return undefined;
    },
  );
  if (cluster === undefined) return await withoutAnswer(request);
  try {
    return standingAmong(await etcdMembers(cluster), membership.machine, cluster);
  } finally {
    cluster.close();
  }
}

/**
 * @param members none where the datastore has no members: then the server that answers is the only one
 * @throws ActError where the server that answers is another one, and no member of etcd
 */
export function standingAmong(
  members: readonly EtcdMember[],
  machine: Machine,
  { server }: Pick<LiveCluster, "server">,
): Standing {
  const own = membersOf(machine, members);
  const others = members.filter((member) => !own.includes(member));
  if (others.length > 0) return { kind: "peers", others: describeMembers(others) };
  if (members.length > 0 || server.name === machine.name) return { kind: "alone" };
  throw new ActError(
    `${server.name} is the cluster's only server, without etcd, and ${machine.name} is none`,
    "nothing of the cluster would go back with it",
    "name the server",
  );
}

async function withoutAnswer({ membership, recovery }: RollbackRequest): Promise<Standing> {
  const { identity, machine, peers } = membership;
  const machines = peers.filter(({ name }) => name !== machine.name);
  const faults = notLost(
    await lookAtOthers(machines, identity),
    recovery.lost.map(({ name }) => name),
  );
  if (faults.length === 0) return { kind: "alone" };
  throw new ActError(
    `no server's API answers, and ${machine.name} may not be the only one:\n${faults.map((fault) => `    ${fault}`).join("\n")}`,
    "beside another server that lives, one with old data would be a second cluster",
    "bring the others back; if they are lost for good, make recover goes on with one server",
  );
}

/**
 * Who may be a server beside the one that goes back.
 * @param listed names of the other servers of the list
 */
export function notLost(others: readonly Other[], listed: readonly string[]): string[] {
  return others.flatMap(({ machine: { name }, state, reason }) => {
    if (state === "none" || (state === "silent" && !listed.includes(name))) return [];
    const why = reason === undefined ? "" : ` (${reason})`;
    const seen = {
      runs: "answers, and its etcd runs",
      stopped: "answers, and has been a server",
      silent: "is in the list of servers and does not answer",
      another: "shows another host key",
      unseen: "answers, and can't be looked at",
    } as const;
    return [`${name} ${seen[state]}${why}`];
  });
}
