import { z } from "zod";
import { exec } from "../machines/machine.ts";
import { balancersOf, machinesWith, type Topology } from "../topology.ts";
import { askEtcd } from "./askEtcd.ts";
import { eventually } from "./eventually.ts";

/** The machine that holds the endpoint's address now. @throws when none does */
export async function findHolder(topology: Topology): Promise<string> {
  for (const { name } of balancersOf(topology)) {
    const { stdout } = await exec(name, ["ip", "-oneline", "address"]);
    if (stdout.includes(` ${topology.endpoint.address}/`)) return name;
  }
  throw new Error(`no machine has ${topology.endpoint.address}`);
}

/**
 * Makes one load balancer hold the endpoint's address. Nobody gives it up for another by himself: the others' keepalived
 * stops for a moment.
 */
export async function makeHold(topology: Topology, machine: string): Promise<void> {
  if ((await findHolder(topology)) === machine) return;
  const others = balancersOf(topology).filter(({ name }) => name !== machine);
  for (const { name } of others) await exec(name, ["systemctl", "stop", "keepalived"]);
  await eventually(30, async () => {
    const holder = await findHolder(topology);
    return holder === machine ? undefined : `${holder} holds ${topology.endpoint.address}`;
  });
  for (const { name } of others) await exec(name, ["systemctl", "start", "keepalived"]);
}

const status = z.object({ leader: z.string(), header: z.object({ member_id: z.string() }) });

/** The server whose etcd member leads now. @throws when none does */
export async function findLeader(topology: Topology): Promise<string> {
  const servers = machinesWith(topology, "server").map(({ name }) => name);
  for (const server of servers) {
    const answer = await askEtcd(topology, server, "maintenance/status", "{}");
    const { leader, header } = status.parse(JSON.parse(answer));
    if (leader === header.member_id) return server;
  }
  throw new Error(`none of ${servers.join(", ")} leads etcd`);
}

/** Makes the etcd member of one server lead. */
export async function makeLead(topology: Topology, server: string): Promise<void> {
  const leader = await findLeader(topology);
  if (leader === server) return;
  const answer = await askEtcd(topology, server, "maintenance/status", "{}");
  const targetID = status.parse(JSON.parse(answer)).header.member_id;
  const body = JSON.stringify({ targetID });
  await askEtcd(topology, leader, "maintenance/transfer-leadership", body);
}
