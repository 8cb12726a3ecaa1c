import type { ClusterPlan } from "./clusterPlan.ts";
import { present } from "./present.ts";

/** What a balancer that somebody else runs must be told, in two forms; either is enough. */
export interface BalancerText {
  /** A frontend and a backend for haproxy.cfg; `global` and `defaults` are its owner's. */
  readonly haproxy: string;
  /** The same as the fields of pfSense's package haproxy; what stands in none of them counts as left alone. */
  readonly pfSense: string;
}

const apiPort = 6443;

/** The API server ends a watch after an hour at most; a shorter time-out would cut it. */
const idleMinutes = 65;
const idleMs = idleMinutes * 60_000;
/**
 * Three checks, 2 s apart: an API server that ends says so for 15 s (plan/serverFlags.ts), which is seen after 6; and an
 * election of etcd's leader, during which /readyz fails everywhere at once, takes 2.
 */
const checkMs = 2_000;
const perServer = "check-ssl verify none fall 3 rise 2 on-marked-down shutdown-sessions";
/**
 * A balancer takes every server of a new text for good until its first check, within 2 s; of three servers two may not be
 * switched on yet, and a client that is led to both of them has waited less than a second.
 */
const connectMs = 400;
/** A server that is gone accepts nobody: the same client is led to another. */
const redispatch = "option redispatch 1";
/**
 * None of its own, also where the defaults say one: then a check has its whole interval. With one the TLS handshake would
 * have no more time than a connection, and a busy server would be taken for dead.
 */
const checkLimit = "timeout check 0";

/**
 * The text for all servers of the list, also those that are none yet: a balancer that checks them sends them nobody.
 *
 * pfSense's package writes the last fields into haproxy.cfg as they are: "Backend pass thru" as lines of the backend, "Per
 * server pass thru" at the end of each server's line. The check's TLS is said there, since not every version has the column
 * "SSL checks", and "Encrypt(SSL)" may encrypt the traffic once more. It writes no defaults.
 * @see https://github.com/pfsense/FreeBSD-ports/blob/devel/net/pfSense-pkg-haproxy/files/usr/local/pkg/haproxy/haproxy.inc
 * @see https://docs.haproxy.org/2.8/configuration.html#5.2-check-ssl
 */
export function balancerText(
  plan: Pick<ClusterPlan, "endpoint" | "name" | "servers">,
): BalancerText {
  const name = `${plan.name}-api`;
  const servers = present(plan.servers);
  const { address, port, prefixLength } = plan.endpoint;
  return {
    haproxy: `frontend ${name}
    mode tcp
    bind ${address}:${port}
    timeout client ${idleMinutes}m
    default_backend ${name}-servers

backend ${name}-servers
    mode tcp
    balance roundrobin
    timeout connect ${connectMs}ms
    timeout server ${idleMinutes}m
    ${checkLimit}
    retries 3
    ${redispatch}
    option httpchk GET /readyz
    http-check expect status 200
    default-server check inter ${checkMs} ${perServer}
${servers.map((server) => `    server ${server.name} ${server.address}:${apiPort}`).join("\n")}
`,
    pfSense: `Firewall > Virtual IPs: IP Alias ${address}/${prefixLength} on the servers' interface, unless pfSense has that address already
Firewall > Rules: servers, workers and your computer may reach it at TCP port ${port}
Services > HAProxy > Backend > Add
    Name                      ${name}-servers
    Server list               ${servers.map((server) => `active  ${server.name}  Address+Port:  ${server.address}  ${apiPort}`).join(`\n${" ".repeat(30)}`)}
                              (Encrypt(SSL) and SSL checks: no, the last field says it)
    Balance                   Round robin
    Connection timeout        ${connectMs}
    Server timeout            ${idleMs}
    Retries                   3
    Health check method       HTTP
    Check frequency           ${checkMs}
    Http check method         GET
    Url used by http check    /readyz
    Backend pass thru         ${redispatch}
    Per server pass thru      ${perServer}
Services > HAProxy > Frontend > Add
    Name                      ${name}
    Listen address            ${address}, port ${port}, SSL Offloading off
    Type                      tcp
    Default backend           ${name}-servers
    Client timeout            ${idleMs}
`,
  };
}
