import type { Fault } from "../configError.ts";
import { networksOf } from "../defaults.ts";
import type { ConfigDraft } from "../salvage.ts";
import { contains, networkOf, overlap, prefixLengthOf } from "../values/network.ts";
import { machinesOf } from "./rule.ts";

/** kube-controller-manager gives each Node a network of this size. */
const NODE_PREFIX_LENGTH = 24;
/** kube-apiserver takes no more than 20 bits, and kubeadm wants ten addresses at least. */
const LARGEST_SERVICE_PREFIX_LENGTH = 12;
const SMALLEST_SERVICE_PREFIX_LENGTH = 28;

/** The networks inside the cluster: apart from each other and from everything outside. */
export function cidrs(draft: ConfigDraft): Fault[] {
  const { podCidr, serviceCidr } = networksOf(draft);
  return [
    ...(podCidr === undefined
      ? []
      : [...podRoom(draft, podCidr), ...taken(draft, podCidr, "podCidr")]),
    ...(serviceCidr === undefined
      ? []
      : [...serviceSize(serviceCidr), ...taken(draft, serviceCidr, "serviceCidr")]),
    ...(podCidr === undefined || serviceCidr === undefined ? [] : apart(podCidr, serviceCidr)),
  ];
}

function apart(podCidr: string, serviceCidr: string): Fault[] {
  if (!overlap(podCidr, serviceCidr)) return [];
  return [
    {
      path: "serviceCidr",
      problem: `${serviceCidr} overlaps podCidr ${podCidr}`,
      cure: "give each its own, for instance 10.244.0.0/16 for pods and 10.96.0.0/12 for Services",
    },
  ];
}

function taken(draft: ConfigDraft, cidr: string, path: string): Fault[] {
  const inside = outsiders(draft).filter(({ address }) => contains(cidr, address));
  const cure = "give a private network that nothing outside the cluster uses";
  if (inside.length > 0) {
    const names = inside.map(({ name, address }) => `${name} (${address})`).join(", ");
    return [{ path, problem: `${cidr} contains the address of ${names}`, cure }];
  }
  const { address, prefixLength } = draft.endpoint ?? {};
  if (address === undefined || prefixLength === undefined) return [];
  const subnet = networkOf(address, prefixLength);
  if (!overlap(cidr, subnet)) return [];
  return [{ path, problem: `${cidr} overlaps the endpoint's subnet ${subnet}`, cure }];
}

function outsiders(draft: ConfigDraft): { name: string; address: string }[] {
  const named: [string, string | undefined][] = [
    ...machinesOf(draft).map(([name, { address }]): [string, string | undefined] => [
      name,
      address,
    ]),
    ["the endpoint", draft.endpoint?.address],
    ["the DNS server", draft.dns?.server],
  ];
  return named.flatMap(([name, address]) => (address === undefined ? [] : [{ name, address }]));
}

function podRoom(draft: ConfigDraft, podCidr: string): Fault[] {
  const nodes = (draft.servers?.length ?? 0) + (draft.workers?.length ?? 0);
  const room = Math.floor(2 ** (NODE_PREFIX_LENGTH - prefixLengthOf(podCidr)));
  if (room >= Math.max(nodes, 1)) return [];
  const bits = Math.ceil(Math.log2(Math.max(nodes, 1)));
  return [
    {
      path: "podCidr",
      problem: `${podCidr} has room for ${room} of the ${nodes} machines listed, each of which gets a /${NODE_PREFIX_LENGTH}`,
      cure: `give a prefix length of ${NODE_PREFIX_LENGTH - bits} or less, for instance 10.244.0.0/16`,
    },
  ];
}

function serviceSize(serviceCidr: string): Fault[] {
  const length = prefixLengthOf(serviceCidr);
  if (length >= LARGEST_SERVICE_PREFIX_LENGTH && length <= SMALLEST_SERVICE_PREFIX_LENGTH)
    return [];
  const size = length < LARGEST_SERVICE_PREFIX_LENGTH ? "large" : "small";
  return [
    {
      path: "serviceCidr",
      problem: `${serviceCidr} is too ${size}`,
      cure: `give a prefix length from ${LARGEST_SERVICE_PREFIX_LENGTH} to ${SMALLEST_SERVICE_PREFIX_LENGTH}, for instance 10.96.0.0/12`,
    },
  ];
}
