import { strict as assert } from "node:assert";
import type { V1Node } from "@kubernetes/client-node";
import * as fc from "fast-check";
import type { EtcdMember } from "../../acts/etcdMembers.ts";
import { whoseDelete } from "../../acts/whoseDelete.ts";
import { machineOf, memberOf } from "./k3s/doubles.ts";

const address = "10.0.20.112";
const machine = machineOf("k8s-master-3", address);
const member = memberOf("k8s-master-3", { peerAddress: address });

function node(mark?: string, at = address): V1Node {
  const annotations = mark === undefined ? {} : { "triad.dev/membership": mark };
  return {
    metadata: { name: "k8s-master-3", annotations },
    status: { addresses: [{ type: "InternalIP", address: at }] },
  };
}

describe("whom a delete means", () => {
  const table: readonly (readonly [
    string,
    string | undefined,
    V1Node | undefined,
    readonly EtcdMember[],
    string,
  ])[] = [
    ["the server whose Node has its nonce", "mine", node("mine"), [member], "ours"],
    ["it also when its member is gone: a leave goes on", "mine", node("mine"), [], "ours"],
    [
      "it also where SSH and etcd use two networks",
      "mine",
      node("mine", "10.9.9.9"),
      [{ ...member, peerAddress: "10.9.9.9" }],
      "ours",
    ],
    [
      "another one where the nonce is another: --replace, a rename",
      "old",
      node("new"),
      [member],
      "another",
    ],
    ["the server without a mark, by name and address", "mine", node(), [member], "ours"],
    ["the member alone, its Node deleted by hand", "mine", undefined, [member], "ours"],
    ["a Node alone, demoted in a run that was cut off", "mine", node(), [], "ours"],
    ["nobody where nothing is left", "mine", undefined, [], "nobody"],
    [
      "nobody can tell: a member of that name elsewhere, no mark",
      "mine",
      undefined,
      [{ ...member, peerAddress: "10.0.20.7" }],
      "unclear",
    ],
    [
      "nobody can tell: a Node of that name elsewhere, no mark",
      "mine",
      node(undefined, "10.0.20.7"),
      [],
      "unclear",
    ],
    [
      "nobody can tell: the address belongs to another member now",
      "mine",
      undefined,
      [{ ...member, name: "k8s-master-4" }],
      "unclear",
    ],
    [
      "nobody can tell: a mark, and a state that has lost its own",
      undefined,
      node("new"),
      [member],
      "unclear",
    ],
    ["a state that has lost its nonce, by name and address", undefined, node(), [member], "ours"],
    [
      "a member that was added and never started, by its address",
      "mine",
      undefined,
      [{ ...member, name: "", role: "learner" }],
      "ours",
    ],
  ];
  for (const [what, remembered, found, members, is] of table) {
    it(what, () => assert.equal(whoseDelete(machine, remembered, found, members).is, is));
  }

  it("is never a Node with another nonce, whatever the members say", () => {
    const name = fc.constantFrom("k8s-master-3", "k8s-master-4", "");
    const at = fc.constantFrom(address, "10.0.20.7");
    const members = fc.array(
      fc.record({ name, peerAddress: at }).map((changes) => memberOf(changes.name, changes)),
    );
    fc.assert(
      fc.property(members, (list) => {
        assert.equal(whoseDelete(machine, "old", node("new"), list).is, "another");
      }),
    );
  });
});
