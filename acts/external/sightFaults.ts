import { endpointNames } from "../endpointAddress.ts";
import type { Endpoint } from "../request.ts";
import type { Sight } from "./lookThrough.ts";

/** Why a machine that is ready may not be reached. */
const whyNot =
  "the balancer does not know it, or its health check fails there, or it sends one client to one server only (balance source)";

/**
 * What is wrong with an endpoint that somebody else balances, each by name: pure, so that every rule is a line of a table.
 * A server that is not ready itself and is not reached is no fault: that is what the health check is for.
 *
 * @param servers names of the machines that are servers and stay
 */
export function sightFaults(
  sight: Sight,
  endpoint: Endpoint,
  servers: readonly string[],
): string[] {
  return [
    ...whole(sight, endpoint),
    ...(isDead(sight) ? [] : unreached(sight, servers)),
    ...unready(sight),
    ...broken(sight, endpoint),
  ];
}

/** Servers whose certificate does not name the endpoint, which each gets as it is adopted or joins. */
export function certificateFaults(
  { direct }: Sight,
  endpoint: Endpoint,
  servers: readonly string[],
): string[] {
  return direct.flatMap(({ name, answer }) => {
    if (answer === undefined || !servers.includes(name)) return [];
    const absent = endpointNames(endpoint).filter((one) => !answer.names.includes(one));
    if (absent.length === 0) return [];
    return [
      `${name}: its certificate does not name ${absent.join(" and ")}, so clients of the endpoint do not trust it; run pulumi up`,
    ];
  });
}

/** Servers that are ready, and were not reached by any connection. */
export function neverReached({ direct, reached }: Sight, servers: readonly string[]): string[] {
  return direct
    .filter(({ name, answer }) => servers.includes(name) && answer?.status === 200)
    .map(({ name }) => name)
    .filter((name) => reached[name] === undefined);
}

/** Whether no server at all was reached. */
export function isDead({ reached }: Sight): boolean {
  return Object.keys(reached).length === 0;
}

/**
 * What the look says of the health check. It can be seen at work only when a server is not ready, and nobody makes one
 * unready to see it.
 */
export function healthCheckSeen(sight: Sight, servers: readonly string[]): string {
  if (isDead(sight)) return "not seen: no server is reached";
  const wrong = Object.keys(sight.unready);
  if (wrong.length > 0) return `fails: ${wrong.join(", ")} was reached while not ready`;
  if (sight.failures.length > 0) return "fails: connections led to nobody";
  const kept = sight.direct
    .filter(({ name, answer }) => servers.includes(name) && answer?.status !== 200)
    .map(({ name }) => name)
    .filter((name) => sight.reached[name] === undefined);
  if (kept.length === 0) return "not seen at work: every server was ready";
  const were = kept.length === 1 ? "was" : "were";
  return `${kept.join(" and ")} ${were} not ready, and no connection led there`;
}

function whole(sight: Sight, { address, port }: Endpoint): string[] {
  const where = `endpoint: ${address}:${port}`;
  if (sight.strangers.length > 0) {
    return [
      `${where} shows a certificate, signed by ${sight.strangers.join(" and by ")}, that none of the machines shows: it ends TLS itself, or leads to somebody else; ` +
        "let the balancer pass TCP through (mode tcp, no SSL offloading), to these servers only",
    ];
  }
  if (!isDead(sight)) return [];
  const [reason = "nobody was asked"] = sight.failures;
  return [
    `${where} leads to no server: ${reason}; paste the text into the balancer, and see what it says of the servers' health`,
  ];
}

function unreached(sight: Sight, servers: readonly string[]): string[] {
  const who = Object.entries(sight.reached).map(([name, count]) => `${name} ${count}`);
  return neverReached(sight, servers).map(
    (name) =>
      `${name}: it is ready, and none of ${sight.asked} connections through the endpoint reached it (${who.join(", ")}): ${whyNot}`,
  );
}

function unready({ unready: found }: Sight): string[] {
  return Object.entries(found).map(
    ([name, status]) =>
      `${name}: the endpoint led to it while its /readyz said ${status}: the balancer's health check does not ask /readyz, or has not seen it yet`,
  );
}

function broken(sight: Sight, { address, port }: Endpoint): string[] {
  const { asked, failures } = sight;
  const [reason] = failures;
  if (reason === undefined || isDead(sight)) return [];
  return [
    `endpoint: ${failures.length} of ${asked} connections to ${address}:${port} ended without an answer (${reason}): the balancer leads to somebody who does not serve; ` +
      "give it the health check of the text",
  ];
}
