import type { Fault } from "../configError.ts";
import { areBalancersOwn, balancersOf, endpointPortOf, isExternal } from "../defaults.ts";
import { pathText } from "../pathText.ts";
import type { ConfigDraft } from "../salvage.ts";
import { broadcastAddress, contains, networkAddress, networkOf } from "../values/network.ts";
import { nodePorts, serverPorts, statisticsPort } from "../values/ports.ts";
import { machinesOf } from "./rule.ts";

const SSH_PORT = 22;
/** Where k3s's Traefik, by servicelb, takes whatever reaches a node. */
const INGRESS_PORTS = [80, 443];

/** The endpoint among the machines: its address free and in the load balancers' subnet. */
export function endpoint(draft: ConfigDraft): Fault[] {
  return [...addressTaken(draft), ...subnet(draft), ...nameTaken(draft), ...portTaken(draft)];
}

function addressTaken(draft: ConfigDraft): Fault[] {
  const address = draft.endpoint?.address;
  if (address === undefined) return [];
  const cure = "give an address that nothing on the subnet uses";
  const holder = machinesOf(draft).find(([, machine]) => machine.address === address);
  if (holder !== undefined) {
    const problem = `${address} is the address of ${holder[0]}`;
    return [{ path: "endpoint.address", problem, cure }];
  }
  // Somebody else's balancer may well be the DNS server, as on a firewall.
  if (address !== draft.dns?.server || isExternal(draft)) return [];
  return [{ path: "endpoint.address", problem: `${address} is the DNS server's`, cure }];
}

function subnet(draft: ConfigDraft): Fault[] {
  const { address, prefixLength } = draft.endpoint ?? {};
  if (address === undefined || prefixLength === undefined) return [];
  const network = networkOf(address, prefixLength);
  return [...notUsable(address, network), ...outside(draft, address, prefixLength, network)];
}

function notUsable(address: string, network: string): Fault[] {
  const cure = `give one between ${networkAddress(network)} and ${broadcastAddress(network)}`;
  const path = "endpoint.address";
  if (address === networkAddress(network)) {
    return [{ path, problem: `${address} is the network address of ${network}`, cure }];
  }
  if (address === broadcastAddress(network)) {
    return [{ path, problem: `${address} is the broadcast address of ${network}`, cure }];
  }
  return [];
}

/** Either the endpoint is in a subnet of its own, or some load balancer has gone astray. */
function outside(
  draft: ConfigDraft,
  address: string,
  prefixLength: number,
  network: string,
): Fault[] {
  const balancers = loadBalancerAddresses(draft);
  const astray = balancers.filter((balancer) => !contains(network, balancer.address));
  const [first] = astray;
  if (first === undefined) return [];
  if (astray.length === balancers.length) {
    return [
      {
        path: "endpoint.address",
        problem: `${address}/${prefixLength} is not in the subnet of ${first.name} (${first.address})`,
        cure: `give an address in ${networkOf(first.address, prefixLength)}, or another prefixLength`,
      },
    ];
  }
  return astray.map((balancer) => ({
    path: pathText(["machines", balancer.name, "address"]),
    problem: `${balancer.address} is outside the endpoint's subnet ${network}`,
    cure: "a load balancer must be on that subnet to hold the endpoint's address",
  }));
}

function loadBalancerAddresses(draft: ConfigDraft): { name: string; address: string }[] {
  return machinesOf(draft).flatMap(([name, { address }]) =>
    address !== undefined && balancersOf(draft)?.includes(name) ? [{ name, address }] : [],
  );
}

function nameTaken(draft: ConfigDraft): Fault[] {
  const name = draft.endpoint?.name;
  const owner = machinesOf(draft).find(
    ([machine, { nodeName }]) => name === machine || name === nodeName,
  );
  if (name === undefined || owner === undefined) return [];
  return [
    {
      path: "endpoint.name",
      problem: `"${name}" is the name of ${owner[0]}`,
      cure: "give a name of its own, since it moves between the load balancers",
    },
  ];
}

function portTaken(draft: ConfigDraft): Fault[] {
  if (draft.endpoint === undefined || isExternal(draft)) return [];
  const port = endpointPortOf(draft);
  const holder =
    port === statisticsPort ? "where HAProxy shows its statistics" : holderOf(draft, port);
  if (holder === undefined) return [];
  const cure = `give another, for instance ${areBalancersOwn(draft) ? 8443 : 6443}`;
  return [{ path: "endpoint.port", problem: `${port} is ${holder}`, cure }];
}

function holderOf(draft: ConfigDraft, port: number): string | undefined {
  const [sshed] =
    machinesOf(draft).find(
      ([name, { ssh }]) =>
        balancersOf(draft)?.includes(name) && port === (ssh?.port ?? draft.ssh?.port ?? SSH_PORT),
    ) ?? [];
  if (sshed !== undefined) return `the SSH port of ${sshed}`;
  return areBalancersOwn(draft) ? ownersPort(draft, port) : undefined;
}

/** On a server HAProxy shares the machine with all that a node has. */
function ownersPort({ distribution }: ConfigDraft, port: number): string | undefined {
  const isServers =
    distribution === undefined ? port === 6443 : serverPorts[distribution].includes(port);
  if (isServers) return "a port of the servers, which balance themselves without loadBalancers";
  if (port >= nodePorts.first && port <= nodePorts.last) {
    return `in the range of NodePorts, ${nodePorts.first} to ${nodePorts.last}`;
  }
  return distribution === "k3s" && INGRESS_PORTS.includes(port)
    ? "where k3s's ingress answers on every node"
    : undefined;
}
