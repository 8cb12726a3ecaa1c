import assert from "node:assert/strict";
import { ActError } from "../../acts/act.ts";
import { refuseUnfit } from "../../acts/rollback/choose.ts";
import type { RollbackRequest } from "../../acts/rollback/request.ts";
import { notLost, standingAmong, standingOf } from "../../acts/rollback/standing.ts";
import type { Other } from "../../acts/recovery/others.ts";
import { rollbackOf } from "../../tools/rollback/rollbackOf.ts";
import { machineOf, memberOf } from "../acts/k3s/doubles.ts";
import { samplePlan, withVms } from "../support/samplePlan.ts";

const hp = machineOf("hp", "hp");
const thinkpad = machineOf("thinkpad", "thinkpad");

describe("whether a cluster goes on without the server that goes back", () => {
  it("does where etcd has other members, healthy or not", () => {
    const members = [memberOf("thinkpad"), memberOf("hp"), memberOf("shuttle", { healthy: false })];
    assert.deepEqual(standingAmong(members, hp, { server: thinkpad }), {
      kind: "peers",
      others: "thinkpad voter, shuttle voter unhealthy",
    });
  });

  it("does where the server is a member no more: it goes back as an empty machine", () => {
    assert.equal(standingAmong([memberOf("thinkpad")], hp, { server: thinkpad }).kind, "peers");
  });

  it("does not where it is the only member, or keeps SQLite", () => {
    assert.deepEqual(standingAmong([memberOf("hp")], hp, { server: hp }), { kind: "alone" });
    assert.deepEqual(standingAmong([], hp, { server: hp }), { kind: "alone" });
  });

  it("is no question of a machine that is no server, while another one keeps SQLite", () => {
    assert.throws(
      () => standingAmong([], hp, { server: thinkpad }),
      /thinkpad is the cluster's only server/,
    );
  });

  it("can't be told by silence: whoever may be a server is named", () => {
    const others: Other[] = [
      { machine: thinkpad, state: "silent" },
      { machine: machineOf("shuttle", "x"), state: "stopped" },
      { machine: machineOf("odroid", "x"), state: "silent" },
      { machine: machineOf("node1", "x"), state: "none" },
      { machine: machineOf("node2", "x"), state: "unseen", reason: "no sudo" },
    ];
    assert.deepEqual(notLost(others, ["thinkpad", "shuttle"]), [
      "thinkpad is in the list of servers and does not answer",
      "shuttle answers, and has been a server",
      "node2 answers, and can't be looked at (no sudo)",
    ]);
    assert.deepEqual(notLost(others.slice(2, 4), ["thinkpad"]), []);
  });

  /** Nobody answers there, which is told at once. */
  function silent(servers: readonly string[]): RollbackRequest {
    const plan = samplePlan(servers, withVms({ "k8s-master": { vmId: 200 } }));
    const request = rollbackOf(plan, "k8s-master");
    const peers = request.membership.peers.map((peer) => ({
      ...peer,
      address: "127.0.0.1",
      ssh: { user: "ops", port: 1 },
    }));
    const [machine = hp] = peers.filter(({ name }) => name === "k8s-master");
    return {
      ...request,
      membership: { ...request.membership, peers, machine, identity: { agent: false } },
    };
  }

  it("is refused, with the way out, where listed servers are silent", async () => {
    await assert.rejects(
      standingOf(silent(["k8s-master", "k8s-master-2", "k8s-master-3"]), () => undefined),
      (error) =>
        error instanceof ActError &&
        /k8s-master may not be the only one:\n +k8s-master-2 is in the list.*\n +k8s-master-3 is in the list/.test(
          error.message,
        ) &&
        error.message.includes("make recover"),
    );
  });

  it("does not where the list has no other server and none is seen, also when its own API is silent", async () => {
    assert.deepEqual(await standingOf(silent(["k8s-master"]), () => undefined), { kind: "alone" });
  });
});

describe("a checkpoint", () => {
  const checkpoint = { name: "triad-1", description: "", at: 1, isWhole: true };
  const peers = { kind: "peers", others: "thinkpad voter" } as const;

  it("of several servers is none to go on alone from, but one to become an empty machine from", () => {
    assert.throws(
      () => refuseUnfit({ ...checkpoint, servers: 3 }, { kind: "alone" }),
      /had 3 servers when triad-1 was taken, and has one now/,
    );
    refuseUnfit({ ...checkpoint, servers: 3 }, peers);
    refuseUnfit({ ...checkpoint, servers: 1 }, peers);
    refuseUnfit({ ...checkpoint, servers: 1 }, { kind: "alone" });
  });
});

describe("what a rollback is told", () => {
  it("is the machine's number at Proxmox, whoever created it", () => {
    const vms = { "k8s-master-2": { vmId: 205 } };
    const checkpoints = { existing: { "k8s-master": 200 } };
    const plan = samplePlan(["k8s-master", "k8s-master-2"], withVms(vms, { checkpoints }));
    assert.equal(rollbackOf(plan, "k8s-master").vmId, 200);
    const { vmId, checkpoint, membership, recovery } = rollbackOf(plan, "k8s-master-2", "triad-1");
    assert.deepEqual([vmId, checkpoint], [205, "triad-1"]);
    assert.equal(membership.machine.name, "k8s-master-2");
    assert.deepEqual(
      recovery.lost.map(({ name }) => name),
      ["k8s-master"],
    );
  });

  it("is refused for a machine that nobody says is there", () => {
    const plan = samplePlan(["k8s-master"], withVms({}));
    assert.throws(
      () => rollbackOf(plan, "k8s-master"),
      /nothing says which machine at Proxmox k8s-master is[^]*proxmox\.checkpoints\.existing/,
    );
  });
});
