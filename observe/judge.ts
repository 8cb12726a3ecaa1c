import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import type { EtcdMember } from "../acts/etcdMembers.ts";
import { describeMembers } from "../acts/etcdMembers.ts";
import type { MachineFacts, Observation } from "./observation.ts";

/** What the look at the world says of the plan. */
export interface Judgement {
  /** The run must not start. */
  readonly faults: readonly string[];
  /** Worth knowing; the run goes on. */
  readonly warnings: readonly string[];
}

/** @see https://kubernetes.io/docs/reference/networking/ports-and-protocols/ */
const serverPorts = [6443, 2379, 2380, 10250, 10257, 10259];
const workerPorts = [10250];
const statisticsPort = 8404;

/**
 * Judges a plan by what was seen: pure, so that every rule is a line of a table.
 * @param members etcd's, or undefined where no server could be asked
 */
export function judge(
  plan: ClusterPlan,
  observations: readonly Observation[],
  members: readonly EtcdMember[] | undefined,
): Judgement {
  const faults: string[] = [];
  const warnings: string[] = [];
  const changes = membershipChanges(plan, members);
  for (const machine of plan.machines) {
    const seen = observations.find((one) => one.machine === machine.name);
    if (seen === undefined) continue;
    if (seen.state === "refused") faults.push(`${machine.name}: ${seen.reason}`);
    else if (seen.state === "silent") {
      (changes ? faults : warnings).push(`${machine.name}: ${seen.reason}`);
    } else {
      faults.push(...faultsOf(machine, seen.facts, plan));
      faults.push(...clockFaults(machine, seen.clockDriftMs, plan));
    }
  }
  const unhealthy = (members ?? []).filter(({ healthy }) => !healthy);
  if (unhealthy.length > 0) {
    (changes ? faults : warnings).push(
      `etcd: ${describeMembers(unhealthy)}; bring its server back, or it is one failure from losing the quorum`,
    );
  }
  return { faults, warnings };
}

/** Whether the list and etcd's members differ: then every machine must be there. */
function membershipChanges(plan: ClusterPlan, members: readonly EtcdMember[] | undefined): boolean {
  if (members === undefined) return true;
  const wanted = plan.servers.map(({ address }) => address).sort();
  const present = members.map(({ peerAddress }) => peerAddress).sort();
  return wanted.join() !== present.join();
}

function faultsOf(machine: MachinePlan, facts: MachineFacts, plan: ClusterPlan): string[] {
  if (machine.role === "load-balancer") return loadBalancerFaults(machine, facts, plan);
  // What already runs in the cluster is adopted as it is.
  if (facts.kubeletConf) return [];
  const { diskGiB, memoryMiB } = plan.preflight;
  return [
    ...(facts.diskFreeGiB < diskGiB
      ? [
          `${machine.name}: ${facts.diskFreeGiB} GiB of disk are free, preflight.diskGiB asks for ${diskGiB}; free some, or lower it`,
        ]
      : []),
    ...(facts.memoryMiB < memoryMiB
      ? [
          `${machine.name}: it has ${facts.memoryMiB} MiB of memory, preflight.memoryMiB asks for ${memoryMiB}; add some, or lower it`,
        ]
      : []),
    ...takenPorts(machine, facts, machine.role === "server" ? serverPorts : workerPorts, []),
  ];
}

function loadBalancerFaults(
  machine: MachinePlan,
  facts: MachineFacts,
  plan: ClusterPlan,
): string[] {
  return takenPorts(machine, facts, [plan.endpoint.port, statisticsPort], ["haproxy"]);
}

function takenPorts(
  machine: MachinePlan,
  { listeners }: MachineFacts,
  ports: readonly number[],
  allowed: readonly string[],
): string[] {
  return listeners
    .filter(({ port, process }) => ports.includes(port) && !allowed.includes(process))
    .map(
      ({ port, process }) =>
        `${machine.name}: port ${port} is taken by ${process || "another process"}; stop it, Triad needs that port there`,
    );
}

function clockFaults(machine: MachinePlan, driftMs: number, { preflight }: ClusterPlan): string[] {
  if (driftMs <= preflight.clockDriftSeconds * 1_000) return [];
  return [
    `${machine.name}: its clock is ${(driftMs / 1_000).toFixed(1)} s off, preflight.clockDriftSeconds allows ${preflight.clockDriftSeconds}; let NTP set it (timedatectl)`,
  ];
}
