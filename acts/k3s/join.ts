import * as z from "zod";
import type { SshConnection } from "../../ssh/connection.ts";
import { runScript, ScriptError } from "../../ssh/runScript.ts";
import { ActError, type Progress } from "../act.ts";
import { cordon, uncordon } from "../cordon.ts";
import { drainNode } from "../drainNode.ts";
import { describeMembers, etcdMembers, membersOf } from "../etcdMembers.ts";
import { gate } from "../gate.ts";
import type { LiveCluster } from "../liveCluster.ts";
import { runLocked } from "../machineLock.ts";
import { forgetNodePassword } from "../nodePassword.ts";
import { isReady, readNode } from "../nodes.ts";
import type { Machine, MembershipRequest } from "../request.ts";
import { refuseElsewhere, refuseOverruled } from "./configDifferences.ts";
import { type FoundConfig, readConfig } from "./foundConfig.ts";
import { guardReturn } from "./returnGuard.ts";
import { joinUrl, renderServerConfig } from "./serverConfig.ts";
import { reasonOf } from "../reasonOf.ts";

const script = "k3s-join.sh";
const promotion = {
  why: "triad:k3s.drain asks for it before the machine becomes a server",
  cure: "make room for these pods, or set triad:k3s.drain to false: a promotion keeps pods running",
};
const tokenAnswer = z.object({ token: z.string() });

/**
 * Makes a machine a server of a living k3s cluster. An agent of it becomes one in place and keeps its Node, containers
 * and data; where it cannot join it is an agent again, and no learner of it stays. The Lease is held and the gates are
 * passed.
 *
 * @throws ActError, ScriptError, SshError; run again, it goes on from what it finds
 */
export async function joinK3s(
  cluster: LiveCluster,
  connection: SshConnection,
  request: MembershipRequest,
  progress: Progress,
): Promise<void> {
  const { machine, endpoint, flags, version, auditPolicy, drain } = request;
  const found = await readConfig(connection);
  refuseElsewhere(found, machine.name);
  await refuseOtherNode(cluster, machine, found);
  const way = { server: joinUrl(endpoint) };
  const config = renderServerConfig({ machine, endpoint, flags, way }, found);
  refuseOverruled(found, config, flags, machine.name);
  // A server that is not one yet would join again behind our back once its member is removed.
  await runScript(connection, { script, verb: "halt" });
  await removeOwnLearners(cluster, machine, progress);
  const variables = {
    CONFIG: config,
    TOKEN: await serverToken(cluster),
    VERSION: version,
    AUDIT_POLICY: auditPolicy,
  };
  // A machine that was installed anew makes a new password for its Node. The Node stays, with its labels.
  if (!found.nodePassword && (await forgetNodePassword(cluster, machine.nodeName))) {
    progress(`${machine.name} was installed anew: the cluster forgets the password of its Node`);
  }
  await cordon(cluster, machine, "promotion", progress);
  try {
    if (drain) await drainNode(cluster, machine.nodeName, promotion, progress);
    await runLocked(
      connection,
      { act: `join ${machine.name}`, script, variables, limit: 900 },
      progress,
    );
  } catch (error) {
    // Where the connection broke the join goes on: the next run waits for it.
    if (error instanceof ScriptError || error instanceof ActError) {
      await takeBack(cluster, machine, progress);
    }
    throw error;
  }
  await voterGate(cluster, machine, progress);
  await guardReturn(connection, endpoint);
  await uncordon(cluster, machine, progress);
}

/** An agent under another name would become a server beside its own Node. */
async function refuseOtherNode(
  cluster: LiveCluster,
  { name, nodeName }: Machine,
  found: FoundConfig,
): Promise<void> {
  if (found.arguments[0] !== "agent" || (await readNode(cluster, nodeName)) !== undefined) return;
  throw new ActError(
    `${name} runs a k3s agent, but the cluster has no Node ${nodeName}`,
    "its pods and volumes belong to the Node that it has, which must stay the same",
    `set triad:machines.${name}.nodeName to the name that kubectl get nodes shows for it, or remove the agent if it is of another cluster`,
  );
}

async function removeOwnLearners(
  cluster: LiveCluster,
  machine: Machine,
  progress: Progress,
): Promise<boolean> {
  const own = membersOf(machine, await etcdMembers(cluster));
  for (const member of own.filter(({ role }) => role === "learner")) {
    progress(`removing from etcd what a join left behind: ${describeMembers([member])}`);
    await cluster.distribution.removeMember(cluster, member);
  }
  return own.some(({ role }) => role === "voter");
}

/** The token by which servers join: read when it is used, and given on to nothing but the script. */
async function serverToken({ connection }: LiveCluster): Promise<string> {
  const answer = await runScript(connection, { script: "k3s-access.sh", verb: "token" });
  return tokenAnswer.parse(answer).token;
}

/** What a failed join leaves in the cluster goes with it; a voter stays, as etcd counts on it. */
async function takeBack(cluster: LiveCluster, machine: Machine, progress: Progress): Promise<void> {
  try {
    if (await removeOwnLearners(cluster, machine, progress)) return;
    await uncordon(cluster, machine, progress);
  } catch (error) {
    progress(`warning: ${reasonOf(error)}`);
  }
}

async function voterGate(
  cluster: LiveCluster,
  machine: Machine,
  progress: Progress,
): Promise<void> {
  await gate(
    async () => {
      const own = membersOf(machine, await etcdMembers(cluster));
      if (own.length !== 1 || own[0]?.role !== "voter" || !own[0].healthy) {
        return { seen: `etcd says of it: ${describeMembers(own) || "not a member"}` };
      }
      const node = await readNode(cluster, machine.nodeName);
      return isReady(node) ? { found: own } : { seen: "its Node is not Ready" };
    },
    {
      what: `${machine.name} to be a voter`,
      limitMs: 300_000,
      why: "pods come back to it once it is wholly a server",
      cure: `see journalctl -u k3s on ${machine.name}, then run pulumi up again`,
      progress,
    },
  );
}
