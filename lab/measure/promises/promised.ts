import type { Topology } from "../../topology.ts";

/** Something that has to be true now. */
export interface Promised {
  readonly sentence: string;
  /** Gives what is wrong instead; nothing when it is as promised. */
  readonly look: (topology: Topology) => Promise<string | undefined>;
}

/** Whether a URL leads to the endpoint, by name or address. */
export function isEndpoint({ endpoint }: Topology, url: string): boolean {
  const hosts = [endpoint.name, endpoint.address];
  return hosts.some((host) => url === `https://${host}:${String(endpoint.port)}`);
}
