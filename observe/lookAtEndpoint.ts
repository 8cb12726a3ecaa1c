import { lookThrough } from "../acts/external/lookThrough.ts";
import { nameFault, resolverOf } from "../acts/external/nameFault.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import type { EndpointFacts } from "./judgeEndpoint.ts";

/**
 * Looks through an endpoint that somebody else balances, within a few seconds; at no other.
 * @param absent names of machines that are not created yet
 */
export async function lookAtEndpoint(
  { dnsRecord, endpoint, peers }: ClusterPlan,
  absent: readonly string[],
): Promise<EndpointFacts | undefined> {
  if (endpoint.external !== true) return undefined;
  const machines = present(peers).filter(({ name }) => !absent.includes(name));
  const [sight, name] = await Promise.all([
    lookThrough({ endpoint, machines }),
    // A record of ours may be about to be written.
    dnsRecord === undefined ? nameFault(endpoint, resolverOf(undefined)) : [],
  ]);
  return { sight, name };
}
