import { z } from "zod";
import { exec } from "../machines/machine.ts";
import type { Topology } from "../topology.ts";

/** The load balancer that holds the endpoint's address now. @throws when none does */
export async function findHolder(topology: Topology): Promise<string> {
  for (const { name, role } of topology.machines) {
    if (role !== "load-balancer") continue;
    const { stdout } = await exec(name, ["ip", "-oneline", "address"]);
    if (stdout.includes(` ${topology.endpoint.address}/`)) return name;
  }
  throw new Error(`no load balancer has ${topology.endpoint.address}`);
}

const status = z.object({ leader: z.string(), header: z.object({ member_id: z.string() }) });

/** The server whose etcd member leads now. @throws when none does */
export async function findLeader(servers: readonly string[]): Promise<string> {
  const pki = "/etc/kubernetes/pki/etcd";
  const client = [
    "--cert",
    `${pki}/healthcheck-client.crt`,
    "--key",
    `${pki}/healthcheck-client.key`,
  ];
  const url = "https://127.0.0.1:2379/v3/maintenance/status";
  for (const server of servers) {
    const argv = [
      "curl",
      "-sS",
      "--max-time",
      "5",
      "--cacert",
      `${pki}/ca.crt`,
      ...client,
      "-d",
      "{}",
      url,
    ];
    const { stdout } = await exec(server, argv);
    const { leader, header } = status.parse(JSON.parse(stdout));
    if (leader === header.member_id) return server;
  }
  throw new Error(`none of ${servers.join(", ")} leads etcd`);
}
