import type { EtcdMember } from "../acts/etcdMembers.ts";
import { describeMembers } from "../acts/etcdMembers.ts";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import { judgeGone } from "./judgeGone.ts";
import { judgeK3s } from "./judgeK3s.ts";
import { leaversOf } from "./leavers.ts";
import { machineFaults } from "./machineFaults.ts";
import type { MachineFacts, Observation } from "./observation.ts";
import { quorumFaults } from "./judgeQuorum.ts";

/** What the look at the world says of the plan. */
export interface Judgement {
  /** The run must not start. */
  readonly faults: readonly string[];
  /** Worth knowing; the run goes on. */
  readonly warnings: readonly string[];
}

/**
 * Judges a plan by what was seen: pure, so that every rule is a line of a table.
 * @param members etcd's, none on SQLite, or undefined where no server could be asked
 */
export function judge(
  plan: ClusterPlan,
  observations: readonly Observation[],
  members: readonly EtcdMember[] | undefined,
): Judgement {
  const changes = membershipChanges(plan, members);
  const judgements = plan.machines.flatMap((machine) => {
    const seen = observations.find((one) => one.machine === machine.name);
    if (seen === undefined) return [];
    return machine.gone ? [judgeGone(machine, seen)] : [judgeMachine(machine, seen, plan, changes)];
  });
  judgements.push(...judgeMembers(whoStay(members ?? [], plan), plan, changes));
  judgements.push({ faults: quorumFaults(plan, observations, members), warnings: [] });
  return {
    faults: judgements.flatMap(({ faults }) => faults),
    warnings: judgements.flatMap(({ warnings }) => warnings),
  };
}

/** Whether the list and etcd's members differ: then every machine must be there. */
function membershipChanges(plan: ClusterPlan, members: readonly EtcdMember[] | undefined): boolean {
  if (members === undefined) return true;
  // SQLite has no members; it changes when it is converted.
  if (members.length === 0) return plan.convert;
  const wanted = present(plan.servers)
    .map(({ address }) => address)
    .sort();
  const listed = members.map(({ peerAddress }) => peerAddress).sort();
  return wanted.join() !== listed.join();
}

function judgeMachine(
  machine: MachinePlan,
  seen: Observation,
  plan: ClusterPlan,
  changes: boolean,
): Judgement {
  if (seen.state === "refused")
    return { faults: [`${machine.name}: ${seen.reason}`], warnings: [] };
  if (seen.state === "silent") {
    const cure = `start it, or say machines.${machine.name}.gone: true if it is lost for good`;
    return either(changes, `${machine.name}: ${seen.reason}${changes ? `; ${cure}` : ""}`);
  }
  const k3s = judgeK3s(machine, seen.facts, plan);
  return {
    faults: [
      ...machineFaults(machine, seen.facts, plan),
      ...k3s.faults,
      ...clockFaults(machine, seen.clockDriftMs, plan),
    ],
    warnings: [...k3s.warnings, ...heldBack(machine.name, seen.facts)],
  };
}

function heldBack(name: string, { heldBack: checkpoint = "" }: MachineFacts): string[] {
  if (checkpoint === "") return [];
  return [
    `${name}: its disk went back to ${checkpoint}, or it lost its power while that was taken; its server does not start, as its data may be old: ` +
      `make rollback SERVER=${name} CHECKPOINT=${checkpoint}; docs/proxmox.md says how else`,
  ];
}

/** An ill member of a machine that is gone, or leaves, is no news: this run removes it. */
function whoStay(members: readonly EtcdMember[], plan: ClusterPlan): EtcdMember[] {
  const leavers = plan.onDestroy === "forget" ? [] : leaversOf(plan, members);
  const going = [...plan.peers.filter(({ gone }) => gone), ...leavers];
  return members.filter(({ peerAddress }) => !going.some(({ address }) => address === peerAddress));
}

function judgeMembers(
  members: readonly EtcdMember[],
  plan: ClusterPlan,
  changes: boolean,
): Judgement[] {
  const unhealthy = members.filter(({ healthy }) => !healthy);
  const joins = present(plan.servers).some(
    ({ address }) =>
      !members.some(({ role, peerAddress }) => role === "voter" && peerAddress === address),
  );
  // A learner counts for nothing, and a run that was cut off must not be kept from going on.
  const leftOver = unhealthy.filter(
    ({ role, peerAddress }) => role === "learner" || (joins && !isDescribed(peerAddress, plan)),
  );
  const ill = unhealthy.filter((member) => !leftOver.includes(member));
  return [
    ...(ill.length === 0
      ? []
      : [
          either(
            changes,
            `etcd: ${describeMembers(ill)}; bring its server back, or list it with machines.<its name>.gone: true if it is lost for good: ` +
              "it is one failure from losing the quorum",
          ),
        ]),
    ...(leftOver.length === 0
      ? []
      : [
          either(
            false,
            `etcd: ${describeMembers(leftOver)}; the next server that joins removes it first`,
          ),
        ]),
  ];
}

/** A server that joins knows these machines: the dead member of another one it removes. */
function isDescribed(address: string, { peers }: ClusterPlan): boolean {
  return peers.some((peer) => peer.address === address);
}

/** A fault where the members are to change, and else a warning. */
function either(isFault: boolean, text: string): Judgement {
  return isFault ? { faults: [text], warnings: [] } : { faults: [], warnings: [text] };
}

function clockFaults(machine: MachinePlan, driftMs: number, { preflight }: ClusterPlan): string[] {
  if (driftMs <= preflight.clockDriftSeconds * 1_000) return [];
  return [
    `${machine.name}: its clock is ${(driftMs / 1_000).toFixed(1)} s off, preflight.clockDriftSeconds allows ${preflight.clockDriftSeconds}; let NTP set it (timedatectl)`,
  ];
}
