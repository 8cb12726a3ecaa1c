import { balancerText } from "../plan/balancerText.ts";
import { planOfStack } from "../tools/planOfStack.ts";
import { mustExec } from "./before/byHand.ts";
import type { Topology } from "./topology.ts";

/** What the owner of an HAProxy has said himself, above what he pastes. */
const ownPart = `defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m

`;

/**
 * Where somebody else runs the balancer, does what he does before a run that changes the list: pastes the text that Triad
 * prints, and holds the endpoint's address.
 */
export async function tellOwner(topology: Topology): Promise<void> {
  const balancer = topology.machines.find(({ isForeign }) => isForeign === true);
  if (balancer === undefined) return;
  const { haproxy } = balancerText(planOfStack(topology.stack));
  const address = `${topology.endpoint.address}/${String(topology.prefixLength)}`;
  await mustExec(balancer, ["sh", "-c", "cat >/etc/haproxy/haproxy.cfg"], ownPart + haproxy);
  await mustExec(balancer, ["ip", "address", "replace", address, "dev", "eth0"]);
  await mustExec(balancer, ["systemctl", "reload-or-restart", "haproxy"]);
}
