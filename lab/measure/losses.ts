import { machinesWith, type Topology } from "../topology.ts";
import { costOf, type Cost } from "./bench.ts";
import { Measurement } from "./measurement.ts";
import { losePower } from "./powerLoss.ts";
import { findHolder, findLeader, makeLead } from "./roles.ts";

/**
 * Takes the power from the endpoint's holder, from a follower and from the leader of etcd, one after the other; where
 * servers balance themselves each is only that, and last goes one that is holder and leader at once.
 * @param how is told in the names of what it cost
 * @param which of them, by name
 */
export async function measureLosses(
  topology: Topology,
  samplesFolder: string,
  how: string,
  tell: (line: string) => void,
  which = /./,
): Promise<Cost[]> {
  const servers = machinesWith(topology, "server").map(({ name }) => name);
  const holderIsServer = servers.includes(await findHolder(topology));
  const victims: Record<string, () => Promise<string>> = {
    "holder of the endpoint": () => findHolder(topology),
    "follower of etcd": async () => {
      const others = [await findLeader(topology), await findHolder(topology)];
      return servers.find((server) => !others.includes(server)) ?? "";
    },
    "leader of etcd": () => findLeader(topology),
  };
  if (holderIsServer) victims["holder and leader"] = () => findHolder(topology);
  const costs: Cost[] = [];
  for (const [what, find] of Object.entries(victims)) {
    if (!which.test(what)) continue;
    const holder = await findHolder(topology);
    const leader = what === "holder and leader" ? holder : servers.find((one) => one !== holder);
    if (holderIsServer) await makeLead(topology, leader ?? "");
    const measurement = await Measurement.start(topology, samplesFolder);
    const machine = await find();
    const away = await losePower(topology, machine);
    const name = `${what}${how} (${machine})`;
    costs.push(costOf(name, await measurement.stop(), away));
    tell(name);
  }
  return costs;
}
