import { describeMembers, type EtcdMember, membersOf } from "./etcdMembers.ts";
import type { Machine } from "./request.ts";

/** A server that is to leave. */
export type Leaver = Machine & {
  /** What it is afterwards; absent: its Node goes, and with it what only that Node can use. */
  readonly becomes?: "worker" | undefined;
};

/** A persistent volume with data that only some Nodes can use. */
export interface BoundVolume {
  readonly name: string;
  /** Whose it is, as `namespace/name`. */
  readonly claim: string;
  /** The Nodes that can use it. */
  readonly nodes: readonly string[];
}

/** One copy of a Longhorn volume. */
export interface Replica {
  readonly volume: string;
  readonly node: string;
  readonly healthy: boolean;
}

/** What must be known of a cluster to say whether a server may leave it. */
export interface LeaveFacts {
  /** etcd's members; none on SQLite. */
  readonly members: readonly EtcdMember[];
  /** Names of the Nodes whose membership Triad has marked: others are not its business. */
  readonly marked: readonly string[];
  /** Names of the Nodes that stay, as workers: their volumes stay as well. */
  readonly staying: readonly string[];
  /** Whose act on the control plane is under way, where it is another's. */
  readonly underWay?: string | undefined;
  /** The version to take in place of one that does not remove members well. */
  readonly removalCure?: string | undefined;
  readonly volumes: readonly BoundVolume[];
  readonly replicas: readonly Replica[];
}

/** Why a server may not leave: an error's three parts. */
export interface LeaveFault {
  readonly seen: string;
  readonly why: string;
  readonly cure: string;
  /** Whether it may be over in a moment by itself, stands until somebody acts, or is about data alone. */
  readonly kind: "passing" | "lasting" | "data";
}

/**
 * Why servers may not leave, a line each, beginning with the machine's name. They are judged in the order given, the
 * earlier ones taken as gone. A server that Triad has not marked as one is nobody whom it would let leave.
 */
export function leaveFaults(facts: LeaveFacts, leavers: readonly Leaver[]): string[] {
  let world = facts;
  return leavers
    .filter(({ nodeName }) => facts.marked.includes(nodeName))
    .flatMap((leaver) => {
      const faults = faultsOf(world, leaver);
      world = without(world, leaver);
      return faults.map(
        ({ seen, why, cure }) => `${leaver.name} cannot leave: ${seen}: ${why}; ${cure}`,
      );
    });
}

/** Why this server may not leave now; nothing where etcd does not count on it any more. */
export function faultsOf(facts: LeaveFacts, leaver: Leaver): LeaveFault[] {
  const { members, underWay, removalCure } = facts;
  const own = membersOf(leaver, members);
  // Members are removed when there is no way back: a leave that was cut off after that goes on.
  if (members.length > 0 && own.length === 0) return [];
  const last = lastVoter(leaver, members);
  if (last !== undefined) return [last];
  return [
    ...(removalCure === undefined ? [] : [brokenRemoval(removalCure)]),
    ...(underWay === undefined ? [] : [otherAct(underWay)]),
    ...quorum(leaver, members),
    ...learners(leaver, members),
    ...volumes(leaver, facts),
    ...replicas(leaver, facts),
  ];
}

/** What is left to judge once a server has gone. */
function without(facts: LeaveFacts, leaver: Leaver): LeaveFacts {
  const own = membersOf(leaver, facts.members).map(({ id }) => id);
  const members = facts.members.filter(({ id }) => !own.includes(id));
  if (keepsNode(leaver, facts)) return { ...facts, members };
  return {
    ...facts,
    members,
    volumes: facts.volumes.map((volume) => ({
      ...volume,
      nodes: volume.nodes.filter((node) => node !== leaver.nodeName),
    })),
    replicas: facts.replicas.filter(({ node }) => node !== leaver.nodeName),
  };
}

function keepsNode({ becomes, nodeName }: Leaver, { staying }: LeaveFacts): boolean {
  return becomes === "worker" || staying.includes(nodeName);
}

function othersThan(leaver: Leaver, members: readonly EtcdMember[]): EtcdMember[] {
  const own = membersOf(leaver, members);
  return members.filter((member) => !own.includes(member));
}

function lastVoter(leaver: Leaver, members: readonly EtcdMember[]): LeaveFault | undefined {
  if (othersThan(leaver, members).some(({ role }) => role === "voter")) return undefined;
  return {
    seen: "it is the cluster's last server",
    why: "the cluster would be gone with it",
    cure: "it never leaves by itself; docs/config.md says under onDestroy how a cluster is forgotten, or wiped",
    kind: "lasting",
  };
}

function brokenRemoval(cure: string): LeaveFault {
  return {
    seen: "this version does not remove members of etcd reliably",
    why: "the member could stay in the list, or come back, and count for the quorum",
    cure: `bring every server to ${cure} or newer first`,
    kind: "lasting",
  };
}

function otherAct(underWay: string): LeaveFault {
  return {
    seen: `another change is under way, ${underWay}`,
    why: "only one disruptive act may run on the control plane at a time",
    cure: "wait for that run to end",
    kind: "passing",
  };
}

function quorum(leaver: Leaver, members: readonly EtcdMember[]): LeaveFault[] {
  const others = othersThan(leaver, members).filter(({ role }) => role === "voter");
  const ill = others.filter(({ healthy }) => !healthy);
  if (ill.length === 0) return [];
  const lost = others.length - ill.length < Math.floor(others.length / 2) + 1;
  return [
    {
      seen: lost
        ? `without it etcd would have no quorum: ${describeMembers(members)}`
        : `another member of etcd is not healthy: ${describeMembers(ill)}`,
      why: lost ? "the API would stop answering" : "one more failure could cost the quorum",
      cure: "bring that server back to health first, or say machines.<its name>.gone: true if it is no more",
      kind: "passing",
    },
  ];
}

function learners(leaver: Leaver, members: readonly EtcdMember[]): LeaveFault[] {
  const found = othersThan(leaver, members).filter(({ role }) => role === "learner");
  if (found.length === 0) return [];
  return [
    {
      seen: `a server is joining: ${describeMembers(found)}`,
      why: "members change one at a time",
      cure: "wait for it to be a voter; the rest of a join that failed goes with the next pulumi up that lists its server",
      kind: "passing",
    },
  ];
}

function volumes(leaver: Leaver, facts: LeaveFacts): LeaveFault[] {
  if (keepsNode(leaver, facts)) return [];
  const lost = facts.volumes.filter(
    ({ nodes }) =>
      nodes.includes(leaver.nodeName) && nodes.every((node) => node === leaver.nodeName),
  );
  if (lost.length === 0) return [];
  const named = lost.map(({ name, claim }) => `${name} of ${claim}`).sort();
  return [
    {
      seen: `only its Node can use ${lost.length === 1 ? "the persistent volume" : "the persistent volumes"} ${named.join(", ")}`,
      why: "the data would go with it",
      cure: `move the data and delete the claim, or keep the machine as a worker: machines.${leaver.name}.becomes: worker`,
      kind: "data",
    },
  ];
}

function replicas(leaver: Leaver, facts: LeaveFacts): LeaveFault[] {
  if (keepsNode(leaver, facts)) return [];
  const healthy = facts.replicas.filter((replica) => replica.healthy);
  const here = healthy.filter(({ node }) => node === leaver.nodeName);
  const lost = [...new Set(here.map(({ volume }) => volume))]
    .filter((volume) =>
      healthy.every((one) => one.volume !== volume || one.node === leaver.nodeName),
    )
    .sort();
  if (lost.length === 0) return [];
  return [
    {
      seen: `it has the only healthy replica of ${lost.length === 1 ? "the Longhorn volume" : "the Longhorn volumes"} ${lost.join(", ")}`,
      why: "the data would go with it",
      cure: "let Longhorn rebuild a replica elsewhere first, or keep the machine as a worker",
      kind: "data",
    },
  ];
}
