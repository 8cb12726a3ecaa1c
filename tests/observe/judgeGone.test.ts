import { strict as assert } from "node:assert";
import type { EtcdMember } from "../../acts/etcdMembers.ts";
import { judge } from "../../observe/judge.ts";
import type { MachineFacts, Observation } from "../../observe/observation.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { member, samplePlan, withGone } from "../support/samplePlan.ts";

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
const running: Partial<MachineFacts> = {
  kubeletConf: true,
  adminConf: true,
  etcdData: true,
  listeners: [{ port: 2379, process: "etcd" }],
};
const [a, b, c] = ["k8s-master", "k8s-master-2", "k8s-master-3"] as const;
const threeMembers = [member("10.0.20.100"), member("10.0.20.110"), member("10.0.20.111", false)];

function seen(machine: string, facts: Partial<MachineFacts> = {}): Observation {
  return { machine, state: "seen", facts: { ...bare, ...facts }, clockDriftMs: 0 };
}

function off(machine: string): Observation {
  return { machine, state: "silent", reason: `${machine} does not answer SSH` };
}

/** Servers run, the others are fine, but for those given. */
function judged(
  plan: ClusterPlan,
  odd: readonly Observation[],
  members: readonly EtcdMember[] | undefined,
): ReturnType<typeof judge> {
  const rest = plan.machines
    .filter(({ name }) => !odd.some(({ machine }) => machine === name))
    .map(({ name, role }) => seen(name, role === "server" ? running : {}));
  return judge(plan, [...rest, ...odd], members);
}

describe("the look at machines that are gone", () => {
  const plan = samplePlan([a, b, c], withGone(c));

  it("asks nothing of one that is silent, and finds its member ill without a word", () => {
    assert.deepEqual(judged(plan, [off(c)], threeMembers), { faults: [], warnings: [] });
  });

  it("refuses one that answers and runs a server, and says both ways out", () => {
    const { faults } = judged(plan, [seen(c, running)], threeMembers);
    assert.equal(faults.length, 1);
    assert.match(
      faults[0] ?? "",
      /^k8s-master-3: .* power it off, or take machines\.k8s-master-3\.gone away/,
    );
  });

  it("warns of a successor that shows its own host key, and of one that runs no server", () => {
    const other: Observation = { machine: c, state: "refused", reason: "shows another host key" };
    for (const observation of [other, seen(c, { etcdData: true })]) {
      const { faults, warnings } = judged(plan, [observation], threeMembers);
      assert.deepEqual(faults, []);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? "", /^k8s-master-3: it is said to be gone/);
    }
  });

  it("still refuses another one that is silent, as the members change", () => {
    const { faults } = judged(plan, [off(c), off(b)], threeMembers);
    assert.match(faults.join("\n"), /^k8s-master-2: .*machines\.k8s-master-2\.gone: true/m);
  });

  it("only warns of another one that is silent once the dead member is removed", () => {
    const two = threeMembers.slice(0, 2);
    const { faults, warnings } = judged(plan, [off(c), off("k8s-node1")], two);
    assert.deepEqual(faults, []);
    assert.equal(warnings.length, 1);
  });
});

describe("the look at a cluster without quorum", () => {
  it("points to the recovery, whether the others are gone or only silent", () => {
    for (const plan of [samplePlan([a, b, c]), samplePlan([a, b, c], withGone(b, c))]) {
      const { faults } = judged(plan, [off(b), off(c)], undefined);
      assert.match(
        faults.join("\n"),
        /k8s-master-2 and k8s-master-3 are off or gone, .* make recover .* SERVER=k8s-master /,
      );
    }
  });

  it("lets those that are gone be a majority once etcd answers again", () => {
    const recovered = samplePlan([a, b, c], withGone(b, c));
    assert.deepEqual(judged(recovered, [off(b), off(c)], [member("10.0.20.100")]).faults, []);
  });

  it("says nothing of it while there is no cluster yet, or a majority answers", () => {
    const plan = samplePlan([a, b, c], { initialise: true });
    const none = [seen(a), off(b), off(c)];
    for (const odd of [none, [off(c)]]) {
      const { faults } = judged(plan, odd, undefined);
      assert.doesNotMatch(faults.join("\n"), /recover/);
    }
  });
});
