import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import type { EtcdMember } from "../../acts/etcdMembers.ts";
import { type LeaveFacts, leaveFaults, type Leaver } from "../../acts/leaveFaults.ts";
import { machineOf, memberOf } from "./k3s/doubles.ts";

const leaver = (name: string): Leaver => machineOf(name, name);

function facts(changes: Partial<LeaveFacts> = {}): LeaveFacts {
  const members = changes.members ?? ["a", "b", "c"].map((name) => memberOf(name));
  return {
    members,
    marked: members.map(({ name }) => name),
    staying: [],
    volumes: [],
    replicas: [],
    ...changes,
  };
}

const local = { name: "pv-1", claim: "default/data", nodes: ["c"] };
const replica = (volume: string, node: string, healthy = true) => ({ volume, node, healthy });

describe("a server may leave", () => {
  const free: readonly (readonly [string, LeaveFacts, Leaver])[] = [
    ["a whole cluster of three", facts(), leaver("c")],
    [
      "two voters that are healthy",
      facts({ members: [memberOf("a"), memberOf("c")] }),
      leaver("c"),
    ],
    [
      "where only it is ill itself",
      facts({ members: [memberOf("a"), memberOf("b"), memberOf("c", { healthy: false })] }),
      leaver("c"),
    ],
    [
      "with a volume that other Nodes can use too",
      facts({ volumes: [{ ...local, nodes: ["b", "c"] }] }),
      leaver("c"),
    ],
    [
      "with a volume of its own, as a worker",
      facts({ volumes: [local] }),
      { ...leaver("c"), becomes: "worker" },
    ],
    [
      "with a volume of its own, as an agent again",
      facts({ volumes: [local], staying: ["c"] }),
      leaver("c"),
    ],
    [
      "with a replica that has a healthy twin",
      facts({ replicas: [replica("v", "c"), replica("v", "b")] }),
      leaver("c"),
    ],
    [
      "with the only replica, which is lost already",
      facts({ replicas: [replica("v", "c", false)] }),
      leaver("c"),
    ],
    [
      "whose member is gone already, whatever else is wrong",
      facts({
        members: [memberOf("a"), memberOf("b", { healthy: false })],
        marked: ["a", "b", "c"],
        volumes: [local],
      }),
      leaver("c"),
    ],
    [
      "that Triad has not marked, which is none of its business",
      facts({ members: [memberOf("c")], marked: [] }),
      leaver("c"),
    ],
  ];
  for (const [what, seen, who] of free) {
    it(`of ${what}`, () => assert.deepEqual(leaveFaults(seen, [who]), []));
  }
});

describe("a server is refused to leave", () => {
  const ill = { healthy: false };
  const refused: readonly (readonly [string, LeaveFacts, RegExp])[] = [
    [
      "the last voter, by name",
      facts({ members: [memberOf("c")] }),
      /^c cannot leave: it is the cluster's last server/,
    ],
    ["the only server on SQLite", facts({ members: [], marked: ["c"] }), /last server/],
    [
      "the last voter beside a learner",
      facts({ members: [memberOf("c"), memberOf("a", { role: "learner" })] }),
      /last server/,
    ],
    [
      "when the quorum would be lost",
      facts({ members: [memberOf("a"), memberOf("b", ill), memberOf("c")] }),
      /without it etcd would have no quorum: a voter, b voter unhealthy, c voter/,
    ],
    [
      "when another member is unhealthy, though a majority lives",
      facts({
        members: [memberOf("a"), memberOf("b", ill), memberOf("c"), memberOf("d"), memberOf("e")],
      }),
      /another member of etcd is not healthy: b voter unhealthy/,
    ],
    [
      "while another server is joining",
      facts({
        members: [memberOf("a"), memberOf("b"), memberOf("c"), memberOf("d", { role: "learner" })],
      }),
      /a server is joining: d learner/,
    ],
    [
      "while somebody else's act is under way",
      facts({ underWay: "ann@laptop/7: join hp" }),
      /another change is under way, ann@laptop\/7: join hp/,
    ],
    [
      "by a version that does not remove members well",
      facts({ removalCure: "v1.34.2+k3s1" }),
      /bring every server to v1\.34\.2\+k3s1 or newer first/,
    ],
    [
      "with a volume that only its Node can use, naming it and its claim",
      facts({ volumes: [local] }),
      /the persistent volume pv-1 of default\/data: .*machines\.c\.becomes: worker/,
    ],
    [
      "with the only healthy replica of a Longhorn volume",
      facts({ replicas: [replica("v", "c"), replica("v", "b", false)] }),
      /only healthy replica of the Longhorn volume v:/,
    ],
  ];
  for (const [what, seen, words] of refused) {
    it(what, () => {
      const faults = leaveFaults(seen, [leaver("c")]);
      assert.equal(faults.length, 1, faults.join("\n"));
      assert.match(faults[0] ?? "", words);
    });
  }

  it("with every reason at once", () => {
    const seen = facts({
      underWay: "ann: join hp",
      volumes: [local],
      replicas: [replica("v", "c")],
    });
    assert.equal(leaveFaults(seen, [leaver("c")]).length, 3);
  });
});

describe("several servers that leave", () => {
  it("are judged one after the other: three can become one, never none", () => {
    assert.deepEqual(leaveFaults(facts(), [leaver("c"), leaver("b")]), []);
    const all = leaveFaults(facts(), [leaver("c"), leaver("b"), leaver("a")]);
    assert.equal(all.length, 1);
    assert.match(all[0] ?? "", /^a cannot leave: it is the cluster's last server/);
  });

  it("take a volume with them that only they can use together", () => {
    const seen = facts({
      volumes: [{ ...local, nodes: ["b", "c"] }],
      replicas: [replica("v", "b"), replica("v", "c")],
    });
    const faults = leaveFaults(seen, [leaver("c"), leaver("b")]);
    assert.deepEqual(
      faults.map((fault) => fault.split(" ")[0]),
      ["b", "b"],
    );
    assert.deepEqual(leaveFaults({ ...seen, staying: ["c"] }, [leaver("c"), leaver("b")]), []);
  });
});

describe("for any cluster", () => {
  const cluster = fc
    .array(fc.record({ healthy: fc.boolean(), learner: fc.boolean() }), {
      minLength: 1,
      maxLength: 7,
    })
    .map((states) =>
      states.map(({ healthy, learner }, index) =>
        memberOf(`m${index}`, { healthy, role: learner ? "learner" : "voter" }),
      ),
    );
  const voters = (members: readonly EtcdMember[]) => members.filter(({ role }) => role === "voter");

  it("whoever may leave, leaves a healthy voter and a majority behind", () => {
    fc.assert(
      fc.property(cluster, (members) => {
        if (leaveFaults(facts({ members }), [leaver("m0")]).length > 0) return;
        const left = voters(members).filter(({ name }) => name !== "m0");
        assert.ok(left.length > 0);
        assert.ok(left.every(({ healthy }) => healthy));
      }),
    );
  });

  it("all of its servers together never may", () => {
    fc.assert(
      fc.property(cluster, (members) => {
        const all = members.map(({ name }) => leaver(name));
        assert.notDeepEqual(leaveFaults(facts({ members }), all), []);
      }),
    );
  });

  it("a healthy one of several voters may go at any time", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 7 }), fc.nat(6), (count, which) => {
        const members = Array.from({ length: count }, (_none, index) => memberOf(`m${index}`));
        assert.deepEqual(leaveFaults(facts({ members }), [leaver(`m${which % count}`)]), []);
      }),
    );
  });
});
