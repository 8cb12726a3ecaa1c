import { strict as assert } from "node:assert";
import type { EtcdMember } from "../../acts/etcdMembers.ts";
import { judge } from "../../observe/judge.ts";
import type { MachineFacts, Observation } from "../../observe/observation.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { member, samplePlan } from "../support/samplePlan.ts";

const bare: MachineFacts = {
  diskFreeGiB: 50,
  memoryMiB: 4000,
  clockMs: 0,
  listeners: [{ port: 22, process: "sshd" }],
  kubeletConf: false,
  adminConf: false,
  etcdData: false,
  k3s: { role: "none", version: "", datastore: "none", staleEtcd: false },
};

const growing = samplePlan(["k8s-master", "k8s-master-2", "k8s-master-3"]);
const adopting = samplePlan(["k8s-master"]);

const oneMember = [member("10.0.20.100")];

function seen(machine: string, facts: Partial<MachineFacts> = {}, clockDriftMs = 0): Observation {
  return { machine, state: "seen", facts: { ...bare, ...facts }, clockDriftMs };
}

/** Every machine of the plan is fine but for the one given. */
function faults(
  plan: ClusterPlan,
  odd: Observation,
  members: EtcdMember[] = oneMember,
): readonly string[] {
  const rest = plan.machines
    .filter(({ name }) => name !== odd.machine)
    .map(({ name }) => seen(name));
  return judge(plan, [...rest, odd], members).faults;
}

describe("the look at the world", () => {
  it("finds nothing where nothing is wrong", () => {
    assert.deepEqual(
      judge(
        growing,
        growing.machines.map(({ name }) => seen(name)),
        oneMember,
      ),
      { faults: [], warnings: [] },
    );
  });

  it("says how a server comes back that a checkpoint's guard keeps down", () => {
    const odd = seen("k8s-master", { heldBack: "triad-1" });
    const { faults, warnings } = judge(adopting, [odd], oneMember);
    assert.deepEqual(faults, []);
    assert.match(
      warnings.join(),
      /^k8s-master: its disk went back to triad-1, .* make rollback SERVER=k8s-master CHECKPOINT=triad-1/,
    );
  });

  const refusals: [string, Observation, RegExp][] = [
    [
      "too little disk",
      seen("k8s-master-2", { diskFreeGiB: 3 }),
      /^k8s-master-2: 3 GiB .* preflight\.diskGiB/,
    ],
    [
      "too little memory",
      seen("k8s-master-3", { memoryMiB: 512 }),
      /^k8s-master-3: it has 512 MiB/,
    ],
    [
      "a taken port on a server to be",
      seen("k8s-master-2", { listeners: [{ port: 2379, process: "python3" }] }),
      /^k8s-master-2: port 2379 is taken by python3/,
    ],
    [
      "a taken port on a load balancer",
      seen("lb1", { listeners: [{ port: 6443, process: "nginx" }] }),
      /^lb1: port 6443 is taken by nginx/,
    ],
    ["a clock that drifts", seen("k8s-node1", {}, 6_000), /^k8s-node1: its clock is 6\.0 s off/],
    [
      "a machine that must not be trusted",
      { machine: "lb2", state: "refused", reason: "shows another host key" },
      /^lb2: shows another host key/,
    ],
    [
      "a silent machine while the list changes",
      { machine: "k8s-master-3", state: "silent", reason: "does not answer SSH" },
      /^k8s-master-3: does not answer/,
    ],
  ];
  for (const [what, observation, expected] of refusals) {
    it(`refuses ${what}, by name`, () => {
      const found = faults(growing, observation);
      assert.equal(found.length, 1);
      assert.match(found[0] ?? "", expected);
    });
  }

  it("adopts a server as it is: its ports are its own, its disk is what it is", () => {
    const listeners = [{ port: 6443, process: "kube-apiserver" }];
    const running = seen("k8s-master", {
      kubeletConf: true,
      adminConf: true,
      diskFreeGiB: 2,
      listeners,
    });
    assert.deepEqual(faults(adopting, running), []);
  });

  it("leaves HAProxy its own ports", () => {
    assert.deepEqual(
      faults(growing, seen("lb1", { listeners: [{ port: 6443, process: "haproxy" }] })),
      [],
    );
  });

  it("refuses a node of k3s where the config says kubeadm", () => {
    const k3s = { ...bare.k3s, role: "agent" as const };
    const found = faults(growing, seen("k8s-node1", { k3s }));
    assert.match(found.join("\n"), /^k8s-node1: it is k3s's agent, distribution says kubeadm/);
  });

  it("only warns of a silent machine or an ill member when the members stay as they are", () => {
    const three = [member("10.0.20.100"), member("10.0.20.110"), member("10.0.20.111", false)];
    const observations = growing.machines.map(({ name }): Observation =>
      name === "k8s-master-3" ? { machine: name, state: "silent", reason: "off" } : seen(name),
    );
    const { faults, warnings } = judge(growing, observations, three);
    assert.deepEqual(faults, []);
    assert.equal(warnings.length, 2);
  });

  it("goes on where a join was cut off, and left a learner that does not answer", () => {
    const dead: EtcdMember = { ...member("10.0.20.110", false), role: "learner" };
    const fine = growing.machines.map(({ name }) => seen(name));
    const { faults, warnings } = judge(growing, fine, [...oneMember, dead]);
    assert.deepEqual(faults, []);
    assert.match(warnings.join(), /10\.0\.20\.110 learner unhealthy; the next .* removes it/);
  });

  it("lets a server join where a dead member is of no machine that anybody knows, as it removes it", () => {
    const dead = member("10.0.20.66", false);
    const members = [...oneMember, member("10.0.20.110"), dead];
    const judged = (plan: ClusterPlan) =>
      judge(
        plan,
        plan.machines.map(({ name }) => seen(name)),
        members,
      );
    const { faults, warnings } = judged(growing);
    assert.deepEqual(faults, []);
    assert.match(warnings.join(), /10\.0\.20\.66 voter unhealthy; the next .* removes it/);
    // Where nobody joins, nobody removes it.
    const [fault] = judged(samplePlan(["k8s-master", "k8s-master-2"])).faults;
    assert.match(fault ?? "", /10\.0\.20\.66 voter unhealthy; bring its server back/);
  });

  it("lets an ill server leave, and nobody while another one is ill", () => {
    const shorter = samplePlan(["k8s-master", "k8s-master-2"]);
    const fine = shorter.machines.map(({ name }) => seen(name));
    const ill = (address: string): EtcdMember[] =>
      ["10.0.20.100", "10.0.20.110", "10.0.20.111"].map((one) => member(one, one !== address));
    assert.deepEqual(judge(shorter, fine, ill("10.0.20.111")).faults, []);
    assert.match(
      judge(shorter, fine, ill("10.0.20.110")).faults.join(),
      /10\.0\.20\.110 .*unhealthy/,
    );
  });
});
