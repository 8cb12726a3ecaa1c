import { strict as assert } from "node:assert";
import { membersOf, notAsked } from "../../observe/members.ts";
import { type EtcdAnswer, etcdAnswer } from "../../observe/observation.ts";
import { sampleK3sPlan } from "../support/samplePlan.ts";

const names = ["thinkpad-192-168-1-5", "shuttle-192-168-1-12", "hp-192-168-1-6"];
const plan = sampleK3sPlan(names);
const addresses = plan.servers.map(({ address }) => address);

const list = {
  members: addresses.map((address, position) => ({
    ID: `${position + 1}`,
    name: `${names[position] ?? ""}-0a1b2c3d`,
    peerURLs: [`https://${address}:2380`],
    clientURLs: [`https://${address}:2379`],
  })),
};

/** What one server of k3s says: all members, and its own status. */
function answer(position: number, more: Record<string, unknown> = {}): EtcdAnswer {
  const status = { [`https://${addresses[position] ?? ""}:2379`]: { leader: "1" } };
  return etcdAnswer.parse({ datastore: "etcd", list, status, ...more });
}
const sqlite = etcdAnswer.parse({ datastore: "sqlite", list: null, status: {} });
const bare = etcdAnswer.parse({ datastore: "none", list: null, status: {} });

describe("etcd's members, as several servers tell", () => {
  it("are healthy as each says of itself", () => {
    const members = membersOf([answer(0), answer(1)]) ?? [];
    assert.deepEqual(
      members.map(({ healthy, leader }) => [healthy, leader]),
      [
        [true, true],
        [true, false],
        [false, false],
      ],
    );
  });

  it("are those of kubeadm by one answer alone, in which silence is noted", () => {
    const [first, second, third] = addresses.map((address) => `https://${address}:2379`);
    const status = {
      [first ?? ""]: { leader: "1" },
      [second ?? ""]: { leader: "1" },
      [third ?? ""]: null,
    };
    const members = membersOf([etcdAnswer.parse({ list, status })]) ?? [];
    assert.deepEqual(
      members.map(({ healthy }) => healthy),
      [true, true, false],
    );
  });

  it("count who answered more than who could not be reached by another", () => {
    const unreachable = { [`https://${addresses[1] ?? ""}:2379`]: null };
    const blind = answer(0, { status: unreachable });
    for (const answers of [
      [answer(1), blind],
      [blind, answer(1)],
    ]) {
      assert.equal(membersOf(answers)?.[1]?.healthy, true);
    }
  });

  it("are none on SQLite, and unknown where no server has a datastore", () => {
    assert.deepEqual(membersOf([bare, sqlite]), []);
    assert.equal(membersOf([bare]), undefined);
    assert.equal(membersOf([]), undefined);
    assert.equal(membersOf([sqlite, answer(0)])?.length, 3);
  });

  it("leave to be asked those of whom nobody told, also one that is no server any more", () => {
    assert.deepEqual(
      notAsked([answer(0)], plan.peers)
        .map(({ name }) => name)
        .sort(),
      [names[1], names[2]].sort(),
    );
    assert.deepEqual(notAsked([answer(0), answer(1), answer(2)], plan.peers), []);
    assert.deepEqual(notAsked([sqlite], plan.peers), []);
  });
});
