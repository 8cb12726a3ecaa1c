import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import {
  describeMembers,
  type EtcdMember,
  membersOf,
  parseEtcdMembers,
  quorumHoldsWithout,
} from "../../acts/etcdMembers.ts";

const ssh = { user: "ops", port: 22 };
const machine = (name: string, address: string) => ({
  name,
  nodeName: name,
  address,
  hostKey: "",
  ssh,
});

function voter(id: string, healthy: boolean): EtcdMember {
  return {
    id,
    name: `m${id}`,
    peerAddress: `10.0.20.${id}`,
    role: "voter",
    healthy,
    leader: false,
  };
}

describe("etcd's member list", () => {
  // Ids are near 2^64: a number would lose their last digits.
  const raw = {
    list: {
      members: [
        {
          ID: "14532165781622267127",
          name: "k8s-master",
          peerURLs: ["https://10.0.20.100:2380"],
          clientURLs: ["https://10.0.20.100:2379"],
        },
        { ID: "92", peerURLs: ["https://10.0.20.110:2380"], isLearner: true },
      ],
    },
    status: { "https://10.0.20.100:2379": { leader: "14532165781622267127" } },
  };

  it("is read with ids as text, unstarted learners included", () => {
    const members = parseEtcdMembers(raw);
    assert.deepEqual(members[0], {
      id: "14532165781622267127",
      name: "k8s-master",
      peerAddress: "10.0.20.100",
      role: "voter",
      healthy: true,
      leader: true,
    });
    assert.equal(
      describeMembers(members),
      "k8s-master voter leader, (unstarted, 10.0.20.110) learner unhealthy",
    );
  });

  it("calls a member that does not answer, or knows no leader, unhealthy", () => {
    const status = { "https://10.0.20.100:2379": { leader: "0" } };
    assert.equal(parseEtcdMembers({ ...raw, status })[0]?.healthy, false);
    assert.equal(parseEtcdMembers({ ...raw, status: {} })[0]?.healthy, false);
  });

  it("finds a machine's members by name or by address", () => {
    const members = parseEtcdMembers(raw);
    assert.equal(membersOf(machine("k8s-master-2", "10.0.20.110"), members).length, 1);
    assert.equal(membersOf(machine("k8s-master", "10.0.20.7"), members).length, 1);
    assert.equal(membersOf(machine("other", "10.0.20.7"), members).length, 0);
  });
});

describe("the leave gate", () => {
  it("never lets the last voter go", () => {
    assert.equal(quorumHoldsWithout("1", [voter("1", true)]), false);
  });

  it("keeps a healthy majority of those who remain, for any cluster", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 2, maxLength: 7 }), (health) => {
        const members = health.map((healthy, index) => voter(String(index), healthy));
        const remaining = health.slice(1);
        const majority = remaining.filter(Boolean).length * 2 > remaining.length;
        assert.equal(quorumHoldsWithout("0", members), majority);
      }),
    );
  });
});
