import { strict as assert } from "node:assert";
import type { V1Node, V1PersistentVolume, V1Pod } from "@kubernetes/client-node";
import type { EtcdMember } from "../../acts/etcdMembers.ts";
import { ActError } from "../../acts/act.ts";
import { LeaverMachine } from "../../acts/leaverMachine.ts";
import type { LiveCluster } from "../../acts/liveCluster.ts";
import type { Machine, MembershipRequest } from "../../acts/request.ts";
import { retireServer } from "../../acts/retireServer.ts";
import { clusterOf, ConnectionDouble, machineOf, memberOf } from "./k3s/doubles.ts";
import { membershipRequestOf } from "./k3s/found.ts";

// Nobody answers SSH on its port there, which is told at once.
const machine = machineOf("hp", "127.0.0.1");

/** Nobody serves there, which is told at once too. */
const nobodys = { name: "127.0.0.1", address: "127.0.0.1", port: 1 };

interface World {
  /** What the machine says of itself. */
  readonly state?: { readonly retired?: boolean; readonly worker?: boolean };
  /** What `retire` ends with: an answer, or an error's text. */
  readonly retire?: object | string;
  readonly node?: V1Node;
  readonly volumes?: readonly V1PersistentVolume[];
  readonly members?: EtcdMember[];
  readonly dataMayGo?: boolean;
  readonly clearsPods?: boolean;
  readonly balancers?: MembershipRequest["balancers"];
  /** Whether etcd answers nobody any more once its member was to be removed. */
  readonly silentThen?: boolean;
}

function world({
  state = {},
  retire = { changed: true },
  node = {},
  volumes = [],
  members,
  dataMayGo = false,
  clearsPods,
  balancers = [],
  silentThen = false,
}: World) {
  const request = { ...membershipRequestOf(machine, balancers), endpoint: nobodys };
  const happened: string[] = [];
  const connection = new ConnectionDouble(machine, [
    ["Stops being a server", "check", { server: true, retired: false, worker: false, ...state }],
    ["Stops being a server", "retire", retire],
    ["Stops being a server", "stay", { changed: true }],
  ]);
  const run = connection.run.bind(connection);
  connection.run = async (command, script) => {
    happened.push(command.split(" ").at(-1) ?? "");
    return await run(command, script);
  };
  const list = members ?? [
    memberOf("thinkpad"),
    memberOf("shuttle"),
    memberOf("hp", { leader: true }),
  ];
  const nodes = new Map([["hp", node]]);
  const pods: V1Pod[] = [{ metadata: { name: "web-0", namespace: "shop" } }];
  const plain = clusterOf({ connection, nodes, members: list });
  const cluster = {
    ...plain,
    custom: { listNamespacedCustomObject: async () => ({ items: [] }) },
    core: {
      ...plain.core,
      patchNode: async (patch: Parameters<LiveCluster["core"]["patchNode"]>[0]) => {
        const { spec }: V1Node = patch.body;
        happened.push(spec?.unschedulable === true ? "cordon" : "uncordon");
        return await plain.core.patchNode(patch);
      },
      listPersistentVolume: async () => ({ items: volumes }),
      listPodForAllNamespaces: async () => ({ items: pods }),
      createNamespacedPodEviction: async ({ name }: { name: string }) => {
        happened.push(`evict ${name}`);
        pods.pop();
      },
    },
    distribution: {
      ...plain.distribution,
      units: { server: "k3s" },
      cureOfRemoval: () => undefined,
      moveLeader: async (_cluster: unknown, leader: EtcdMember, heir: EtcdMember) => {
        happened.push(`${heir.name} leads`);
        list.splice(list.indexOf(leader), 1, { ...leader, leader: false });
        list.splice(list.indexOf(heir), 1, { ...heir, leader: true });
      },
      hideServer: async (_cluster: unknown, { name }: Machine) => {
        // As long as it stops it is hidden again and again.
        if (happened.at(-1) !== `hide ${name}`) happened.push(`hide ${name}`);
      },
      members: async (of: LiveCluster) => {
        if (!silentThen || !happened.includes("remove hp"))
          return await plain.distribution.members(of);
        throw new ActError("etcd does not answer", "it is asked", "none");
      },
      removeMember: async (of: LiveCluster, member: EtcdMember) => {
        happened.push(`remove ${member.name}`);
        await plain.distribution.removeMember(of, member);
      },
    },
  };
  const told: string[] = [];
  const progress = (line: string): number => told.push(line);
  const leaver = new LeaverMachine(connection, request, undefined, progress);
  const way = { node, dataMayGo, ...(clearsPods === undefined ? {} : { clearsPods }) };
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest of the API is not used
  const living = cluster as unknown as LiveCluster;
  return {
    happened,
    told,
    members: list,
    nodes,
    run: async () => await retireServer(living, request, leaver, way, progress),
  };
}

const leavingNode: V1Node = {
  spec: { unschedulable: true },
  metadata: { name: "hp", annotations: { "triad.dev/cordoned": "leaving" } },
};
const ownVolume: V1PersistentVolume = {
  metadata: { name: "pv-1" },
  spec: {
    claimRef: { namespace: "shop", name: "data" },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchFields: [{ key: "metadata.name", operator: "In", values: ["hp"] }] },
        ],
      },
    },
  },
};

const stopped = ["hide hp", "retire", "hide hp"];

describe("a server that leaves", () => {
  it("hands over, sends its pods away and stops, and only then its member goes", async () => {
    const { happened, members, run } = world({});
    await run();
    assert.deepEqual(happened, [
      "check",
      "thinkpad leads",
      "cordon",
      "evict web-0",
      "hide hp",
      "retire",
      "hide hp",
      "remove hp",
    ]);
    assert.deepEqual(
      members.map(({ name }) => name),
      ["thinkpad", "shuttle"],
    );
  });

  it("keeps its pods where it stays as a worker", async () => {
    const { happened, run } = world({ state: { worker: true } });
    await run();
    assert.deepEqual(happened, ["check", "thinkpad leads", ...stopped, "remove hp"]);
  });

  it("takes its data along, and sends no pod away, where the whole cluster is wiped", async () => {
    const { happened, run } = world({ volumes: [ownVolume], dataMayGo: true });
    await run();
    assert.deepEqual(happened, ["check", "thinkpad leads", ...stopped, "remove hp"]);
  });

  it("sends its pods away where its disk goes back, also those of data that somebody agreed to lose", async () => {
    const { happened, run } = world({
      ...{ volumes: [ownVolume], dataMayGo: true, clearsPods: true, state: { worker: true } },
    });
    await run();
    assert.deepEqual(happened.slice(0, 4), ["check", "thinkpad leads", "cordon", "evict web-0"]);
    assert.deepEqual(happened.slice(4), [...stopped, "remove hp"]);
  });

  describe("behind a balancer that somebody else runs", () => {
    const isOfEndpoint = (line: string): boolean => line.includes("through the endpoint");

    it("looks through it before it stops, and while it does", async () => {
      const { happened, told, run } = world({ balancers: "external" });
      await run();
      const [before, during, ...more] = told.filter(isOfEndpoint);
      assert.match(before ?? "", /^warning: before hp stops: of 3 connections .*: nobody we know/);
      assert.match(during ?? "", /^warning: while hp stopped, .* ended without an answer/);
      assert.deepEqual(more, []);
      assert.deepEqual(happened.slice(-4), [...stopped, "remove hp"]);
    });

    it("asks nobody where the whole cluster is wiped", async () => {
      const { told, run } = world({ balancers: "external", dataMayGo: true });
      await run();
      assert.deepEqual(told.filter(isOfEndpoint), []);
    });
  });

  it("goes on from where it had retired", async () => {
    const { happened, run } = world({
      state: { retired: true },
      node: leavingNode,
      members: [memberOf("thinkpad"), memberOf("shuttle"), memberOf("hp", { healthy: false })],
    });
    await run();
    assert.deepEqual(happened, ["check", ...stopped, "remove hp"]);
  });

  it("that is refused has not been touched", async () => {
    const node = { metadata: { name: "hp" } };
    const { happened, told, run } = world({ volumes: [ownVolume], node });
    await assert.rejects(run(), /hp cannot leave: .* pv-1 of shop\/data/);
    assert.deepEqual(happened, ["check"]);
    assert.deepEqual(told, []);
  });

  it("that does not stop is a whole server again", async () => {
    const { happened, members, nodes, run } = world({ retire: "k3s does not stop" });
    await assert.rejects(run(), /retire failed/);
    assert.deepEqual(happened.slice(-6), ["evict web-0", ...stopped, "stay", "uncordon"]);
    assert.equal(nodes.get("hp")?.spec?.unschedulable, null);
    assert.equal(members.length, 3);
  });

  it("stays out where nobody can tell whether its member was removed, and says what to do", async () => {
    const { happened, run } = world({ silentThen: true });
    await assert.rejects(run(), /nobody can tell .*: etcd does not answer\n.*\n.*starts hp first/);
    assert.deepEqual(happened.slice(-4), [...stopped, "remove hp"]);
  });

  it("that had begun to leave, and may not any more, is a whole server again", async () => {
    const { happened, told, run } = world({
      state: { retired: true },
      node: { ...leavingNode, metadata: { ...leavingNode.metadata, name: "hp" } },
      volumes: [ownVolume],
    });
    await assert.rejects(run(), /hp cannot leave/);
    assert.deepEqual(happened, ["check", "stay", "uncordon"]);
    assert.deepEqual(told, ["hp stays a server", "hp gets pods again"]);
  });
});
