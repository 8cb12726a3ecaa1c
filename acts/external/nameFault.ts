import { Resolver } from "node:dns/promises";
import { reasonOf } from "../reasonOf.ts";
import type { Endpoint, EndpointRequest } from "../request.ts";

/** Whoever is asked for names; as node:dns has it. */
export type Resolve = (name: string) => Promise<string[]>;

/** The DNS server given, or whoever this computer asks; 2 s a question. */
export function resolverOf(dns: EndpointRequest["dns"]): Resolve {
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  if (dns !== undefined) resolver.setServers([`${dns.server}:${dns.port}`]);
  return async (name) => await resolver.resolve4(name);
}

/** What is wrong with the endpoint's name, now; nothing where it has none but its address. */
export async function nameFault(
  { name, address }: Pick<Endpoint, "address" | "name">,
  resolve: Resolve,
): Promise<string[]> {
  if (name === address) return [];
  const seen = await resolve(name).then(
    (addresses) => (addresses.join() === address ? undefined : addresses.join(", ")),
    (error: unknown) => `nothing (${reasonOf(error)})`,
  );
  if (seen === undefined) return [];
  return [
    `endpoint: ${name} resolves to ${seen}, not to ${address}; correct the A record, or let Triad write it: triad:dns`,
  ];
}
