import type { LabDistribution } from "../distribution.ts";
import type { StateName } from "../savedState/states.ts";
import type { Topology } from "../topology.ts";
import { balancerOff, type Fault, killed, powerOff, sshCut } from "./faults.ts";
import { conversion, join, leaving, retrofit } from "./insideActs.ts";
import { begins, changes, clusterBegins, type Moment } from "./moments.ts";

/** Which run is interrupted: the one that makes three servers, or one by which the third of them leaves. */
export type Way = "grow" | "list of two" | "destroy --target";

/** A run that is interrupted in one moment by one fault. */
export interface CrashCase {
  readonly way: Way;
  /** The kind of step. */
  readonly step: string;
  /** How far the change had come before this run. */
  readonly from: StateName;
  readonly moment: Moment;
  readonly fault: Fault;
}

/** One line of the lists below: a case for each fault. */
function on(
  from: StateName,
  step: string,
  moment: Moment,
  ...faults: readonly Fault[]
): readonly CrashCase[] {
  return faults.map((fault) => ({ way: "grow", step, from, moment, fault }));
}

/** The same where the third server leaves. */
function onLeave(way: Way, moment: Moment, ...faults: readonly Fault[]): readonly CrashCase[] {
  return faults.map((fault) => ({ way, step: `leave by ${way}`, from: "three", moment, fault }));
}

const leave = [
  onLeave("destroy --target", leaving.drained, killed, sshCut("third")),
  onLeave("destroy --target", leaving.removed, killed, powerOff("third")),
  onLeave("list of two", leaving.removed, sshCut("third")),
  onLeave("list of two", leaving.cleaned, killed, powerOff("third")),
];

const kubeadm = [
  on("adopted", "preflight", begins("second", "preflight"), killed),
  on("two", "preflight", begins("third", "preflight"), powerOff("third")),
  on("adopted", "artifacts", begins("second", "kubernetes"), killed),
  on("two", "artifacts", begins("third", "kubernetes"), sshCut("third"), powerOff("third")),
  on("two", "HAProxy", begins("balancer", "haproxy"), killed, balancerOff("balancer")),
  on("before", "keepalived", begins("balancer", "keepalived"), killed, balancerOff("balancer")),
  on("before", "DNS", clusterBegins("dns"), killed),
  on("before", "endpoint gate", clusterBegins("up"), killed),
  on("two", "backup", clusterBegins("backup"), killed, sshCut("first")),
  on("before", "retrofit", retrofit.certificate, killed, powerOff("first")),
  on("before", "retrofit", retrofit.taken, killed, sshCut("first")),
  on("before", "retrofit", retrofit.told, killed),
  on("adopted", "join of the second", join.begun("second"), killed),
  on("adopted", "join of the second", join.learns("second"), powerOff("second")),
  on("adopted", "join of the second", join.votes("second"), powerOff("second")),
  on("two", "join", join.begun("third"), killed, powerOff("third")),
  on("two", "join", join.learns("third"), killed, sshCut("third"), balancerOff("balancer")),
  on("two", "join", join.votes("third"), killed, powerOff("third")),
  on("joined", "kube-proxy", clusterBegins("kube-proxy"), killed),
  on("joined", "CoreDNS", clusterBegins("coredns"), killed),
  on(
    "joined",
    "worker move",
    changes("while its kubelet is moved", "worker", "/etc/kubernetes/kubelet.conf"),
    ...[killed, powerOff("worker")],
  ),
  on("two", "verification", clusterBegins("verified"), killed),
  ...leave,
];

const k3s = [
  on("adopted", "preflight", begins("second", "preflight"), killed),
  on("two", "preflight", begins("third", "preflight"), powerOff("third")),
  on("two", "artifacts", begins("third", "kubernetes"), killed, sshCut("third")),
  on("two", "HAProxy", begins("third", "haproxy"), killed, balancerOff("other balancer")),
  on("two", "keepalived", begins("third", "keepalived"), killed, powerOff("third")),
  on("before", "endpoint gate", clusterBegins("up"), killed),
  on("two", "backup", clusterBegins("backup"), killed, sshCut("first")),
  on("adopted", "conversion", conversion.stopped, killed, powerOff("first")),
  on("adopted", "conversion", conversion.copying, killed, sshCut("first"), powerOff("first")),
  on("adopted", "conversion", conversion.copied, killed, powerOff("first")),
  on("adopted", "conversion", conversion.compared, killed),
  on("two", "readiness", clusterBegins("readiness"), killed),
  on("adopted", "join of the second", join.learns("second"), powerOff("second")),
  on("adopted", "join of the second", join.votes("second"), powerOff("second")),
  on("two", "join", join.begun("third"), killed, powerOff("third")),
  on("two", "join", join.learns("third"), killed, sshCut("third"), balancerOff("other balancer")),
  on("two", "join", join.votes("third"), killed, powerOff("third")),
  // The conversion moves agents, as each is restarted anyway.
  on(
    "adopted",
    "worker move",
    changes("while its agent is moved", "worker", "/etc/systemd/system/k3s-agent.service.env"),
    ...[killed, powerOff("worker")],
  ),
  on("two", "verification", clusterBegins("verified"), killed),
  ...leave,
];

/** Every case of a distribution, in the order of the change. */
export const cases: Readonly<Record<LabDistribution["name"], readonly CrashCase[]>> = {
  kubeadm: kubeadm.flat(),
  k3s: k3s.flat(),
};

/** The step and the moment in it, as the report names them. */
export function stepOf({ step, moment }: CrashCase): string {
  return moment.what === "" ? step : `${step}, ${moment.what}`;
}

/** What one can pick cases by: step and fault. */
export function nameOf(one: CrashCase, topology: Topology): string {
  return `${stepOf(one)}: ${one.fault.what(topology)}`;
}

/** Of each home the one by which `make test` sees that interrupted runs heal; more would take it too long. */
const samples: Readonly<Record<LabDistribution["name"], RegExp>> = {
  kubeadm: /^join, while it learns: pulumi killed$/,
  k3s: /^conversion, .* is copied.*: pulumi killed$/,
};

/** @see {@link samples} */
export function sampleOf(topology: Topology): readonly CrashCase[] {
  const { name } = topology.distribution;
  return cases[name].filter((one) => samples[name].test(nameOf(one, topology)));
}
