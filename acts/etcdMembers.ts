import * as z from "zod";
import type { LiveCluster } from "./liveCluster.ts";
import type { Machine } from "./request.ts";

/** A member of etcd. Ids are decimal strings: they don't fit a JavaScript number. */
export interface EtcdMember {
  readonly id: string;
  /** Empty for a member that was added and never started. */
  readonly name: string;
  readonly peerAddress: string;
  readonly role: "voter" | "learner";
  /** It answers, and reports no error and a leader. */
  readonly healthy: boolean;
  readonly leader: boolean;
}

const answer = z.object({
  list: z.object({
    members: z.array(
      z.object({
        ID: z.string(),
        name: z.string().default(""),
        peerURLs: z.array(z.string()),
        clientURLs: z.array(z.string()).default([]),
        isLearner: z.boolean().default(false),
      }),
    ),
  }),
  status: z.record(
    z.string(),
    z
      .object({
        leader: z.string().default("0"),
        errors: z.array(z.string()).default([]),
      })
      .nullable(),
  ),
});

/**
 * Asks a living server's etcd for its members, linearizably: a minority cannot answer.
 * @throws ScriptError when etcd has no quorum or does not answer
 */
export async function etcdMembers(cluster: LiveCluster): Promise<EtcdMember[]> {
  return await cluster.distribution.members(cluster);
}

/** Reads the answer of `kubeadm-etcd.sh check`, and of `k3s-etcd.sh check` on etcd. */
export function parseEtcdMembers(raw: unknown): EtcdMember[] {
  const { list, status } = answer.parse(raw);
  return list.members.map((member) => {
    // An address that did not answer is null; one that was not asked is missing.
    const own = member.clientURLs.flatMap((url) => status[url] ?? [])[0];
    return {
      id: member.ID,
      name: member.name,
      peerAddress: new URL(member.peerURLs[0] ?? "https://unknown").hostname,
      role: member.isLearner ? "learner" : "voter",
      healthy: own !== undefined && own.leader !== "0" && own.errors.length === 0,
      leader: own?.leader === member.ID,
    };
  });
}

/** Members that are this machine, by name or by address, whether they run or not. */
export function membersOf(machine: Machine, members: readonly EtcdMember[]): EtcdMember[] {
  return members.filter(
    (member) => member.name === machine.nodeName || member.peerAddress === machine.address,
  );
}

/** Whether etcd counts on a machine now. */
export async function isMember(cluster: LiveCluster, machine: Machine): Promise<boolean> {
  return membersOf(machine, await etcdMembers(cluster)).length > 0;
}

/** Whether a majority still answers once the given member is taken away. */
export function quorumHoldsWithout(id: string, members: readonly EtcdMember[]): boolean {
  const remaining = members.filter((member) => member.role === "voter" && member.id !== id);
  const healthy = remaining.filter((member) => member.healthy).length;
  return remaining.length > 0 && healthy >= Math.floor(remaining.length / 2) + 1;
}

/** Whether a majority answers while a machine is down: it still counts, as its members stay in the list. */
export function quorumHoldsWhileDown(machine: Machine, members: readonly EtcdMember[]): boolean {
  const voters = members.filter(({ role }) => role === "voter");
  const own = membersOf(machine, voters);
  if (own.length === 0) return true;
  return voters.filter((one) => one.healthy && !own.includes(one)).length > voters.length / 2;
}

/** One line for people: `k8s-master voter leader, k8s-master-2 learner unhealthy`. */
export function describeMembers(members: readonly EtcdMember[]): string {
  return members
    .map(({ name, peerAddress, role, healthy, leader }) =>
      [
        name || `(unstarted, ${peerAddress})`,
        role,
        leader ? "leader" : "",
        healthy ? "" : "unhealthy",
      ]
        .filter((word) => word !== "")
        .join(" "),
    )
    .join(", ");
}
