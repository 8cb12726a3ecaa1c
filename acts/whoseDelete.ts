import type { V1Node } from "@kubernetes/client-node";
import { ActError } from "./act.ts";
import { describeMembers, type EtcdMember, membersOf } from "./etcdMembers.ts";
import { membershipOf } from "./nodes.ts";
import type { Machine } from "./request.ts";

/** Whom a delete finds where it was to let a server leave. */
export type Verdict =
  /** The server that it means. */
  | { readonly is: "ours" }
  /** A later membership of the same machine, or another machine of the same name. */
  | { readonly is: "another"; readonly seen: string }
  /** Nobody: neither a Node nor a member. */
  | { readonly is: "nobody" }
  /** Nobody can tell. */
  | { readonly is: "unclear"; readonly seen: string };

/**
 * Whom a delete deletes (law 5). A replacement is often created before the old one's delete runs, so the mark on the Node
 * decides; where there is none, name and address must both be those of the machine.
 *
 * @param remembered the nonce that the membership's create answered
 */
export function whoseDelete(
  machine: Machine,
  remembered: string | undefined,
  node: V1Node | undefined,
  members: readonly EtcdMember[],
): Verdict {
  const { name, nodeName, address } = machine;
  const marked = membershipOf(node);
  if (marked !== undefined && remembered !== undefined && marked !== remembered) {
    return { is: "another", seen: `the Node ${nodeName} stands for a later membership` };
  }
  const own = membersOf(machine, members);
  const strangers = own.filter((member) => member.name !== "" && member.name !== nodeName);
  if (strangers.length > 0) {
    return {
      is: "unclear",
      seen: `etcd's member at ${address}, which is ${name}'s address, is not ${nodeName} but ${describeMembers(strangers)}`,
    };
  }
  if (marked !== undefined) {
    if (remembered !== undefined) return { is: "ours" };
    return {
      is: "unclear",
      seen: `the Node ${nodeName} stands for a membership, and the state does not say for which`,
    };
  }
  const elsewhere = own.find(({ peerAddress }) => peerAddress !== address);
  if (elsewhere !== undefined) {
    return {
      is: "unclear",
      seen: `the Node ${nodeName} has no mark, and etcd's member of that name is at ${elsewhere.peerAddress}, not at ${address}`,
    };
  }
  if (node === undefined) return { is: own.length === 0 ? "nobody" : "ours" };
  const addresses = node.status?.addresses?.map((one) => one.address) ?? [];
  if (addresses.length > 0 && !addresses.includes(address)) {
    return {
      is: "unclear",
      seen: `the Node ${nodeName} has no mark, and is at ${addresses.join(", ")}, not at ${address}`,
    };
  }
  return { is: "ours" };
}

/** @returns the error of a delete of which nobody can tell whom it means */
export function unclear(seen: string, name: string): ActError {
  return new ActError(
    seen,
    "another server could leave in the place of the one that is meant",
    `see kubectl get nodes -o wide and etcd's member list; where ${name} is no server of this cluster any more, forget it by pulumi state delete '<URN of its membership>'`,
  );
}
