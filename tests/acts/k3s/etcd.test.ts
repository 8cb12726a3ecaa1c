import { strict as assert } from "node:assert";
import { describeMembers, membersOf } from "../../../acts/etcdMembers.ts";
import { k3sMembers, moveK3sLeader, nodeOf } from "../../../acts/k3s/etcd.ts";
import { clusterOf, ConnectionDouble, machineOf, memberOf } from "./doubles.ts";

const thinkpad = machineOf("thinkpad", "192.168.1.5");
const shuttle = machineOf("shuttle", "127.0.0.1");

function member(id: string, name: string, address: string, isLearner = false): object {
  const urls = { peerURLs: [`https://${address}:2380`], clientURLs: [`https://${address}:2379`] };
  return { ID: id, name, ...urls, ...(isLearner ? { isLearner } : {}) };
}

const check = (answer: object): ConnectionDouble =>
  new ConnectionDouble(thinkpad, [["MEMBER_ID", "check", answer]]);

describe("the members of a k3s cluster's etcd", () => {
  it("are none on SQLite", async () => {
    const connection = check({ datastore: "sqlite", list: null, status: {} });
    assert.deepEqual(await k3sMembers(clusterOf({ connection })), []);
  });

  it("have their Nodes' names, and are asked on their own machines how they are", async () => {
    const connection = check({
      datastore: "etcd",
      list: {
        members: [
          member("14532165781622267127", "thinkpad-1a2b3c4d", "192.168.1.5"),
          member("92", "shuttle-5e6f7a8b", "127.0.0.1"),
          member("93", "stranger-00000000", "192.168.1.77"),
          member("94", "gone-00000001", "192.168.1.78"),
          { ID: "95", peerURLs: ["https://192.168.1.6:2380"], isLearner: true },
        ],
      },
      status: { "https://192.168.1.5:2379": { leader: "14532165781622267127" } },
    });
    const ready = { conditions: [{ type: "Ready", status: "True" }] };
    const nodes = new Map([["stranger", { metadata: { name: "stranger" }, status: ready }]]);
    const members = await k3sMembers(clusterOf({ connection, peers: [thinkpad, shuttle], nodes }));
    assert.equal(
      describeMembers(members),
      "thinkpad voter leader, shuttle voter unhealthy, stranger voter, gone voter unhealthy, (unstarted, 192.168.1.6) learner unhealthy",
    );
    assert.deepEqual(
      membersOf(thinkpad, members).map(({ id }) => id),
      ["14532165781622267127"],
    );
  });

  it("are unhealthy where the server's own etcd says nothing of itself", async () => {
    const connection = check({
      datastore: "etcd",
      list: { members: [member("1", "shuttle-1a2b3c4d", "127.0.0.1")] },
      status: { "": null },
    });
    const [own] = await k3sMembers(clusterOf({ connection, peers: [shuttle] }));
    assert.equal(own?.healthy, false);
  });

  it("are named after their Node and eight digits", () => {
    assert.equal(nodeOf("hp-192-168-1-6-0a1b2c3d"), "hp-192-168-1-6");
    assert.equal(nodeOf("k8s-master"), "k8s-master");
    assert.equal(nodeOf(""), "");
  });

  it("hand over their leadership on the leader's machine, and say where it is not described", async () => {
    const connection = new ConnectionDouble(thinkpad, [["MEMBER_ID='7'", "move-leader", {}]]);
    const cluster = clusterOf({ connection });
    const heir = memberOf("shuttle", { id: "7" });
    await moveK3sLeader(cluster, memberOf("thinkpad", { peerAddress: "192.168.1.5" }), heir);
    assert.equal(connection.ran.length, 1);
    await assert.rejects(
      moveK3sLeader(cluster, memberOf("hp", { peerAddress: "192.168.1.6" }), heir),
      /leader is hp at 192\.168\.1\.6, which triad:machines does not describe/,
    );
  });
});
