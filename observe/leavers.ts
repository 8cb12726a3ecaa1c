import type { EtcdMember } from "../acts/etcdMembers.ts";
import type { Leaver } from "../acts/leaveFaults.ts";
import type { MachineConfig } from "../config/clusterConfig.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";

/** A described machine with a member of etcd that the list of servers does not name any more. */
export type PlannedLeaver = Leaver & MachineConfig;

/** Who is to leave, as far as etcd knows. */
export function leaversOf(
  { peers, servers, workers }: ClusterPlan,
  members: readonly EtcdMember[],
): PlannedLeaver[] {
  return peers
    .filter(({ name, address }) => {
      const isMember = members.some(({ peerAddress }) => peerAddress === address);
      return isMember && !servers.some((server) => server.name === name);
    })
    .map((peer) =>
      workers.some(({ name }) => name === peer.name) ? { ...peer, becomes: "worker" } : peer,
    );
}

/** The members once all listed servers have joined: these join before anybody leaves. */
export function membersOnceJoined(plan: ClusterPlan, members: readonly EtcdMember[]): EtcdMember[] {
  return [
    ...members,
    ...joinersOf(plan, members).map(({ address, nodeName }): EtcdMember => ({
      id: nodeName,
      name: nodeName,
      peerAddress: address,
      role: "voter",
      healthy: true,
      leader: false,
    })),
  ];
}

/** Who changes in etcd, a line each; none while there is no etcd. */
export function changeNotes(plan: ClusterPlan, members: readonly EtcdMember[]): string[] {
  if (members.length === 0) return [];
  const leavers = plan.onDestroy === "forget" ? [] : leaversOf(plan, members);
  return [
    ...joinersOf(plan, members).map(
      ({ name }) =>
        `${name} is listed and no voter of etcd: it joins. If ${name}-membership is not among the changes, it was one and ` +
        `was cut off while it left: pulumi up --replace '<the URN of ${name}-membership>' brings it back`,
    ),
    ...leavers.map(({ name, becomes }) => {
      const after = becomes === "worker" ? ", and is a worker then" : "";
      return `${name} is a voter of etcd and not listed: it leaves${after}`;
    }),
  ];
}

function joinersOf(plan: ClusterPlan, members: readonly EtcdMember[]): readonly MachineConfig[] {
  return present(plan.servers).filter(
    ({ address }) => !members.some(({ peerAddress }) => peerAddress === address),
  );
}

/** A pause leaves those behind it as they are; for one that is a server already, that would be to leave. */
export function pausedServers(
  { peers, waiting }: ClusterPlan,
  members: readonly EtcdMember[],
): string[] {
  return peers
    .filter(
      ({ address, name }) =>
        waiting.includes(name) && members.some(({ peerAddress }) => peerAddress === address),
    )
    .map(
      ({ name }) =>
        `pauseAfter: ${name} is behind the pause and a server already; remove the key, or take ${name} off servers to let it leave`,
    );
}

/** A leaver must answer: one that may still run is stopped before its member is removed. */
export function silentLeaver({ gone, name }: PlannedLeaver, reason: string): string {
  const listAgain = `list it again with machines.${name}.gone: true for one pulumi up`;
  if (gone) {
    return `${name} cannot leave: it is gone, and etcd still has its member: only a server of the list is removed without being asked; ${listAgain}`;
  }
  return `${name} cannot leave: ${reason}: a server that may still run must be stopped before its member is removed; start it, or, if it is lost for good, ${listAgain}`;
}

/** A server of the list that a run which was cut off had begun to take away. */
export function halfGone(name: string): string {
  return (
    `${name}: an earlier run began to let it leave and was cut off; run that pulumi destroy again, or keep it as a server: ` +
    `pulumi up --replace '<the URN of ${name}-membership>'`
  );
}
