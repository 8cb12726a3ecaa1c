import { strict as assert } from "node:assert";
import type { V1Node } from "@kubernetes/client-node";
import type { EtcdMember } from "../../../acts/etcdMembers.ts";
import type { FoundConfig } from "../../../acts/k3s/foundConfig.ts";
import { joinK3s } from "../../../acts/k3s/join.ts";
import { clusterOf, ConnectionDouble, machineOf, memberOf } from "./doubles.ts";
import { installed, membershipRequestOf } from "./found.ts";

const machine = machineOf("shuttle", "192.168.1.12");
const agent: FoundConfig = {
  ...installed,
  arguments: ["agent", "--node-label=disk=ssd"],
  datastore: "none",
};

const request = membershipRequestOf(machine);

function world(
  found: FoundConfig,
  join: object | string,
  nodes: Map<string, V1Node>,
  members: EtcdMember[],
) {
  const connection = new ConnectionDouble(machine, [
    ["How k3s is told to run", "check", found],
    ["Makes this machine a server of a living cluster", "halt", { changed: false }],
    ["Keeps k3s from starting on a machine", "ensure", { changed: true }],
    ["Runs one disruptive script", "ensure", join],
  ]);
  const living = new ConnectionDouble(machineOf("thinkpad", "192.168.1.5"), [
    ["hands out its administrator's kubeconfig", "token", { token: "K10abc::server:hush" }],
  ]);
  const forgotten: string[] = [];
  const cluster = clusterOf({ connection: living, nodes, members, forgotten });
  const told: string[] = [];
  const run = async (): Promise<void> =>
    await joinK3s(cluster, connection, request, (line) => told.push(line));
  return { connection, told, forgotten, run };
}

const node = (spec: V1Node["spec"] = {}): V1Node => ({
  metadata: { name: "shuttle", annotations: {} },
  spec,
  status: { conditions: [{ type: "Ready", status: "True" }] },
});

describe("the join of a k3s server", () => {
  it("promotes an agent with what its command line said, cordoned meanwhile, by the servers' token", async () => {
    const nodes = new Map([["shuttle", node()]]);
    const { connection, told, run } = world(agent, { changed: true }, nodes, [memberOf("shuttle")]);
    await run();
    assert.deepEqual(told, [
      "shuttle gets no new pods while it becomes a server",
      "shuttle gets pods again",
    ]);
    assert.equal(nodes.get("shuttle")?.spec?.unschedulable, null);
    assert.deepEqual(nodes.get("shuttle")?.metadata?.annotations, {});
    const { script = "" } = connection.ran.at(-2) ?? {};
    for (const line of [
      /server: "https:\/\/192\.168\.1\.2:8443"/,
      /node-label: "disk=ssd"/,
      /hush/,
    ]) {
      assert.match(script, line);
    }
  });

  it("lets the cluster forget the Node's password where the machine was installed anew", async () => {
    const nodes = new Map([["shuttle", node()]]);
    const anew = { ...agent, arguments: [], nodePassword: false };
    const { forgotten, run } = world(anew, {}, nodes, [memberOf("shuttle")]);
    await run();
    assert.deepEqual(forgotten, ["kube-system/shuttle.node-password.k3s"]);
    const kept = world(agent, {}, nodes, [memberOf("shuttle")]);
    await kept.run();
    assert.deepEqual(kept.forgotten, []);
  });

  it("leaves a Node cordoned that somebody else had cordoned", async () => {
    const nodes = new Map([["shuttle", node({ unschedulable: true })]]);
    const { told, run } = world(agent, {}, nodes, [memberOf("shuttle")]);
    await run();
    assert.equal(nodes.get("shuttle")?.spec?.unschedulable, true);
    assert.deepEqual(told, []);
  });

  it("that fails takes its learner away and lets the agent have pods again", async () => {
    const nodes = new Map([["shuttle", node()]]);
    const members = [
      memberOf("thinkpad"),
      memberOf("shuttle", { role: "learner", healthy: false }),
    ];
    const before = [...members];
    const { run } = world(agent, "the cluster refuses this machine's token", nodes, members);
    // The first learner is of an earlier join, the second of this one.
    await assert.rejects(run(), /machine-lock\.sh ensure failed/);
    assert.deepEqual(members, [before[0]]);
    assert.equal(nodes.get("shuttle")?.spec?.unschedulable, null);
  });

  it("that fails when it is a voter already stays cordoned: etcd counts on it", async () => {
    const nodes = new Map([["shuttle", node()]]);
    const members = [memberOf("thinkpad"), memberOf("shuttle")];
    const { run } = world(agent, "its API is not ready", nodes, members);
    await assert.rejects(run());
    assert.equal(members.length, 2);
    assert.equal(nodes.get("shuttle")?.spec?.unschedulable, true);
  });

  it("refuses an agent whose Node has another name, before anything is touched", async () => {
    const { connection, run } = world(agent, {}, new Map(), []);
    await assert.rejects(run(), /runs a k3s agent, but the cluster has no Node shuttle/);
    assert.deepEqual(
      connection.ran.map(({ verb }) => verb),
      ["check"],
    );
  });
});
