import * as z from "zod";
import { connect, type SshConnection } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { type ActContext, ActError, type Progress } from "./act.ts";
import {
  describeMembers,
  type EtcdMember,
  etcdMembers,
  membersOf,
  quorumHoldsWithout,
} from "./etcdMembers.ts";
import { endpointLeads } from "./external/gates.ts";
import { gate } from "./gate.ts";
import { healthyMembers } from "./healthyMembers.ts";
import { withLease } from "./lease.ts";
import { settleMachine } from "./machineLock.ts";
import type { LiveCluster } from "./liveCluster.ts";
import type { Machine, MembershipRequest } from "./request.ts";
import { isHealthyServer, wholeServer } from "./serverHealth.ts";

const observed = z.object({ etcdData: z.boolean(), k3s: z.object({ datastore: z.string() }) });

/**
 * Makes a machine a server of a living cluster, alone: under the Lease, after the heal and join gates.
 * @throws ActError, ScriptError, SshError; run again, it goes on from what it finds
 */
export async function joinServer(
  cluster: LiveCluster,
  request: MembershipRequest,
  { progress }: ActContext,
): Promise<void> {
  const { machine } = request;
  await withLease(cluster, `join ${machine.name}`, progress, async () => {
    const connection = await connect(machine, request.identity);
    try {
      await settleMachine(connection, progress);
      await awaitOwnMember(cluster, connection, machine, progress);
      if (!(await isHealthyServer(cluster, machine))) {
        await heal(cluster, request, progress);
        await healthyMembers(cluster, progress);
        await reachEachOther(cluster, connection, request);
        if (request.balancers === "external") await endpointLeads(request, progress);
        await cluster.distribution.join(cluster, connection, request, progress);
      }
      await wholeServer(cluster, machine, progress);
    } finally {
      connection.close();
    }
  });
}

/** What an earlier life of this machine, or a machine that is no more, left in the member list would block every join. */
async function heal(
  cluster: LiveCluster,
  { machine, peers }: MembershipRequest,
  progress: Progress,
): Promise<void> {
  const members = await etcdMembers(cluster);
  refuseOtherName(machine, members);
  const known = peers.map(({ address }) => address);
  const leftOver = members.filter(
    (member) =>
      membersOf(machine, [member]).length > 0 ||
      // Nobody joins while we hold the Lease: a learner that does not answer is the rest of a killed join.
      (!member.healthy && (member.role === "learner" || !known.includes(member.peerAddress))),
  );
  for (const member of leftOver) {
    if (member.role === "voter" && !quorumHoldsWithout(member.id, members)) {
      throw new ActError(
        `${member.name} is a voter that would have to be removed, and without it etcd has no quorum: ${describeMembers(members)}`,
        "removing it would stop the cluster",
        "bring the other members back to health first, then run pulumi up again",
      );
    }
    progress(`removing from etcd what nobody needs any more: ${describeMembers([member])}`);
    await cluster.distribution.removeMember(cluster, member);
  }
}

/** A healthy server that only has another name is no rest of anything. */
function refuseOtherName(
  { name, nodeName, address }: Machine,
  members: readonly EtcdMember[],
): void {
  const other = members.find(
    (member) => member.healthy && member.peerAddress === address && member.name !== nodeName,
  );
  if (other === undefined || other.role !== "voter" || other.name === "") return;
  throw new ActError(
    `${name} at ${address} is a healthy server already, under the name ${other.name}`,
    `it would be removed, to join again as ${nodeName}`,
    `set machines.${name}.nodeName to ${other.name}; or take it off the list first, so that it leaves under its old name`,
  );
}

async function hasEtcdData(connection: SshConnection): Promise<boolean> {
  const answer = await runScript(connection, { script: "observe.sh", verb: "check" });
  const { etcdData, k3s } = observed.parse(answer);
  return etcdData || k3s.datastore === "etcd";
}

/** A voter that has its data and is only ill, or still booting, must not be taken for the rest of a failed join. */
async function awaitOwnMember(
  cluster: LiveCluster,
  connection: SshConnection,
  machine: Machine,
  progress: Progress,
): Promise<void> {
  if ((await isHealthyServer(cluster, machine)) || !(await hasEtcdData(connection))) return;
  await gate(
    async () => {
      const ill = membersOf(machine, await etcdMembers(cluster)).filter(
        ({ role, healthy }) => role === "voter" && !healthy,
      );
      return ill.length === 0 ? { found: true } : { seen: describeMembers(ill) };
    },
    {
      what: `the etcd member that ${machine.name} already has to be healthy`,
      limitMs: 120_000,
      why: "it is a voter with data of its own, which a new join would replace",
      cure: `see journalctl -u ${cluster.distribution.units.server} and etcd's log on ${machine.name}, then run pulumi up again`,
      progress,
    },
  );
}

async function reachEachOther(
  cluster: LiveCluster,
  connection: SshConnection,
  { machine }: MembershipRequest,
): Promise<void> {
  const members: EtcdMember[] = await etcdMembers(cluster);
  const targets = (addresses: string[]): string =>
    addresses
      .flatMap((address) => cluster.distribution.serverPorts.map((port) => `${address}:${port}`))
      .join(" ");
  await runScript(connection, {
    script: "preflight.sh",
    verb: "check",
    variables: { PEERS: targets(members.map(({ peerAddress }) => peerAddress)) },
  });
  await runScript(cluster.connection, {
    script: "preflight.sh",
    verb: "check",
    variables: { PEERS: targets([machine.address]) },
  });
}
