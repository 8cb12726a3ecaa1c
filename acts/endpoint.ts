import { Socket } from "node:net";
import { type ActContext, defineAct } from "./act.ts";
import { endpointAddress } from "./endpointAddress.ts";
import { resolverOf } from "./external/nameFault.ts";
import { gate } from "./gate.ts";
import { endpointRequest, type Endpoint, type EndpointRequest } from "./request.ts";

/**
 * The endpoint is up: its name has the right address, a load balancer holds it, ours or somebody else's, and its port is
 * open. What lies behind is another matter: there may be no cluster yet.
 */
export const endpoint = defineAct(endpointRequest, async (request, context) => {
  if (context.verb === "delete") return {};
  const { name, address } = request.endpoint;
  await Promise.all([
    ...(name === address ? [] : [nameResolves(request, context)]),
    portAnswers(request, context),
  ]);
  return { endpoint: endpointAddress(request.endpoint), address: request.endpoint.address };
});

async function nameResolves(
  { endpoint, dns }: EndpointRequest,
  { progress }: ActContext,
): Promise<void> {
  const resolve = resolverOf(dns);
  await gate(
    async () => {
      const addresses = await resolve(endpoint.name);
      return addresses.length === 1 && addresses[0] === endpoint.address
        ? { found: addresses }
        : { seen: `it resolves to ${addresses.join(", ")}` };
    },
    {
      what: `${endpoint.name} to resolve to ${endpoint.address}`,
      limitMs: 30_000,
      why: "servers and workers will reach the API by this name",
      cure:
        dns === undefined
          ? `create the A record at your DNS server, or let Triad do it: triad:dns`
          : `look at the zone on ${dns.server}`,
      progress,
    },
  );
}

async function portAnswers(
  { endpoint, balancers }: EndpointRequest,
  { progress }: ActContext,
): Promise<void> {
  await gate(async () => ({ found: await dial(endpoint) }), {
    what: `${endpoint.address}:${endpoint.port} to accept connections`,
    limitMs: 30_000,
    why: "no client may be pointed to an address that nobody holds",
    cure: cureOf(balancers),
    progress,
  });
}

function cureOf(balancers: EndpointRequest["balancers"]): string {
  if (balancers === "external") {
    return "give the balancer that address, and paste the text that pulumi preview prints";
  }
  const who =
    balancers === "servers" ? "the servers" : balancers.map(({ name }) => name).join(" and ");
  return `see journalctl -u keepalived -u haproxy on ${who}`;
}

function dial({ address, port }: Endpoint): Promise<true> {
  return new Promise((resolve, reject) => {
    const socket = new Socket().setTimeout(1_000);
    const end = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("timeout", () => end(new Error("no answer within 1 s")));
    socket.once("error", end);
    socket.connect(port, address);
  });
}
