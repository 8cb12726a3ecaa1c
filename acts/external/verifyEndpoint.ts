import type { Endpoint, EndpointRequest } from "../request.ts";
import { lookThrough, type LookThroughOptions, type Sight } from "./lookThrough.ts";
import { nameFault, type Resolve, resolverOf } from "./nameFault.ts";
import { certificateFaults, healthCheckSeen, sightFaults } from "./sightFaults.ts";

/** An endpoint that somebody else balances, who may stand behind it, and who of them are servers. */
export interface VerifiedEndpoint extends Pick<EndpointRequest, "dns" | "peers"> {
  readonly endpoint: Endpoint;
  /** Node names. */
  readonly servers: readonly string[];
}

/** What was found of an endpoint that somebody else balances. */
export interface EndpointVerdict {
  /** By name, what is wrong. */
  readonly faults: readonly string[];
  /** How many connections were made, and how many of them each machine answered. */
  readonly connections: number;
  readonly reached: Readonly<Record<string, number>>;
  /** Whether the health check was seen to take a server out that was not ready. */
  readonly healthCheck: string;
}

/** Looks at name, certificates and servers through the endpoint, and changes nothing. */
export async function verifyEndpoint(
  { dns, endpoint, peers, servers }: VerifiedEndpoint,
  look: (options: LookThroughOptions) => Promise<Sight> = lookThrough,
  resolve: Resolve = resolverOf(dns),
): Promise<EndpointVerdict> {
  const names = peers.filter(({ nodeName }) => servers.includes(nodeName)).map(({ name }) => name);
  const [sight, wrongName] = await Promise.all([
    look({ endpoint, machines: peers }),
    nameFault(endpoint, resolve),
  ]);
  return {
    faults: [
      ...wrongName,
      ...sightFaults(sight, endpoint, names),
      ...certificateFaults(sight, endpoint, names),
    ],
    connections: sight.asked,
    reached: sight.reached,
    healthCheck: healthCheckSeen(sight, names),
  };
}
