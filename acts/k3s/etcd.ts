import * as z from "zod";
import { connect } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import { ActError } from "../act.ts";
import { type EtcdMember, parseEtcdMembers } from "../etcdMembers.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { isReady } from "../nodes.ts";
import type { Machine } from "../request.ts";

const script = "k3s-etcd.sh";
/** How long a member's machine may take to say how its member is. */
const limitMs = 4_000;

const status = z.record(z.string(), z.unknown()).nullable();
const statusAnswer = z.object({ status });
const checkAnswer = z.object({
  list: z
    .looseObject({
      members: z.array(
        z.looseObject({
          ID: z.string(),
          name: z.string().default(""),
          peerURLs: z.array(z.string()),
          clientURLs: z.array(z.string()).default([]),
        }),
      ),
    })
    .nullable(),
  status: z.record(z.string(), status),
});
type Member = NonNullable<z.infer<typeof checkAnswer>["list"]>["members"][number];

/**
 * The members of a k3s cluster's etcd, linearizably; none while it is on SQLite. A member's state can only be asked on
 * its own machine, so all machines are asked at once; one that is not described is judged by its Node.
 *
 * @throws ScriptError when etcd has no quorum or does not answer
 */
export async function k3sMembers(cluster: LiveCluster): Promise<EtcdMember[]> {
  const answer = checkAnswer.parse(await runScript(cluster.connection, { script, verb: "check" }));
  if (answer.list === null) return [];
  const { members } = answer.list;
  const others = members.filter(
    ({ clientURLs: [url] }) => url !== undefined && answer.status[url] === undefined,
  );
  const states = await Promise.all(others.map((member) => stateOf(cluster, member)));
  const asked = others.map(
    ({ clientURLs: [url = ""] }, index) => [url, states[index] ?? null] as const,
  );
  return parseEtcdMembers({
    list: { members: members.map((member) => ({ ...member, name: nodeOf(member.name) })) },
    status: { ...answer.status, ...Object.fromEntries<unknown>(asked) },
  });
}

/** k3s names a member by its Node and eight hexadecimal digits. */
export function nodeOf(memberName: string): string {
  return memberName.replace(/-[0-9a-f]{8}$/, "");
}

async function stateOf(cluster: LiveCluster, member: Member): Promise<z.infer<typeof status>> {
  const { identity } = cluster.access;
  const machine = machineOf(cluster, addressOf(member));
  if (machine === undefined) return await stateByNode(cluster, member);
  try {
    const connection = await connect(machine, identity, limitMs);
    try {
      const answer = runScript(connection, { script, verb: "status" });
      return statusAnswer.parse(await within(answer)).status;
    } finally {
      connection.close();
    }
  } catch {
    return null;
  }
}

function addressOf({ peerURLs }: Member): string {
  return new URL(peerURLs[0] ?? "https://unknown").hostname;
}

function machineOf({ access }: LiveCluster, address: string): Machine | undefined {
  return access.peers.find((peer) => peer.address === address);
}

/** A living server that nobody described must not be taken for one that is gone. */
async function stateByNode(
  cluster: LiveCluster,
  { name }: Member,
): Promise<z.infer<typeof status>> {
  const nodes = await cluster.core.listNode();
  const own = nodes.items.find(({ metadata }) => metadata?.name === nodeOf(name));
  return isReady(own) ? { leader: "unknown" } : null;
}

/** A machine that hangs after its greeting must not hold up the others. */
async function within<Answer>(answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), limitMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Takes a member out of the list; its server must be stopped and kept from starting, or it joins again. */
export async function removeK3sMember(
  { connection }: LiveCluster,
  { id }: EtcdMember,
): Promise<void> {
  await runScript(connection, { script, verb: "remove", variables: { MEMBER_ID: id } });
}

/** Hands etcd's leadership over. Only the leader takes this call, and only on its own machine. */
export async function moveK3sLeader(
  cluster: LiveCluster,
  leader: EtcdMember,
  heir: EtcdMember,
): Promise<void> {
  const call = { script, verb: "move-leader", variables: { MEMBER_ID: heir.id } };
  if (leader.peerAddress === cluster.server.address) {
    await runScript(cluster.connection, call);
    return;
  }
  const machine = machineOf(cluster, leader.peerAddress);
  if (machine === undefined) {
    throw new ActError(
      `etcd's leader is ${leader.name} at ${leader.peerAddress}, which triad:machines does not describe`,
      "its leadership can only be handed over on that machine",
      "describe it under triad:machines, then run pulumi up again",
    );
  }
  const connection = await connect(machine, cluster.access.identity);
  try {
    await runScript(connection, call);
  } finally {
    connection.close();
  }
}
