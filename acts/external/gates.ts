import type { Progress } from "../act.ts";
import { gate, type Look } from "../gate.ts";
import { reasonOf } from "../reasonOf.ts";
import type { Access, Endpoint, Machine } from "../request.ts";
import { lookThrough, type LookThroughOptions, type Sight } from "./lookThrough.ts";
import { isDead } from "./sightFaults.ts";

/** A server behind a balancer that somebody else runs. */
export interface BehindEndpoint extends Pick<Access, "peers"> {
  readonly machine: Machine;
  readonly endpoint: Endpoint;
}

/** How the endpoint is looked at, and for how long; tests say it differently. */
export interface Looking {
  readonly look: (options: LookThroughOptions) => Promise<Sight>;
  readonly limitMs: number;
  readonly intervalMs: number;
}

/** A balancer's check takes some seconds to call a server up, or down. */
const looking: Looking = { look: lookThrough, limitMs: 20_000, intervalMs: 2_000 };
const pasteText = "paste the text that pulumi preview and make verify print into the balancer";

/**
 * Before a server joins by the endpoint: somebody must serve there.
 * @throws ActError after 20 s
 */
export async function endpointLeads(
  { endpoint, peers }: Omit<BehindEndpoint, "machine">,
  progress: Progress,
  { look, ...limits }: Looking = looking,
): Promise<void> {
  await gate(
    async () => {
      const sight = await look({ endpoint, machines: peers });
      return isDead(sight) ? { seen: describe(sight) } : { found: true };
    },
    {
      what: `${endpoint.address}:${endpoint.port} to lead to a server`,
      ...limits,
      why: "servers join, and workers find the API, by it",
      cure: pasteText,
      progress,
    },
  );
}

/**
 * After a server has joined: the balancer should lead to it by now. It can't be told to; where it does not the cluster is
 * whole all the same, so there is a warning.
 */
export async function expectReached(
  { endpoint, machine, peers }: BehindEndpoint,
  progress: Progress,
  { look, ...limits }: Looking = looking,
): Promise<void> {
  const wanted = async (): Promise<Look<true>> => {
    const sight = await look({ endpoint, machines: peers });
    return machine.name in sight.reached ? { found: true } : { seen: describe(sight) };
  };
  try {
    await gate(wanted, {
      what: `${machine.name} to be reached through the endpoint`,
      ...limits,
      why: "it takes no load, and the API does not survive on it",
      cure: `${pasteText}; what it needs is checked again at the end`,
      progress,
    });
  } catch (error) {
    progress(`warning: ${reasonOf(error)}`);
  }
}

/**
 * Before a server stops: others must be reached by the endpoint, or nobody would be. Who leads clients there can't be told
 * to stop it; that the server goes on for a while when it is told to end, and says so to whoever asks, has to do.
 *
 * @throws ActError after 20 s in which the endpoint led to this server alone
 */
export async function expectOthersReached(
  { endpoint, machine, peers }: BehindEndpoint,
  progress: Progress,
  { look, ...limits }: Looking = looking,
): Promise<void> {
  await gate(
    async () => {
      const sight = await look({ endpoint, machines: peers });
      const others = Object.keys(sight.reached).filter((name) => name !== machine.name);
      if (others.length > 0) return { found: others };
      // Then nothing is taken away from anybody.
      if (isDead(sight)) {
        progress(`warning: before ${machine.name} stops: ${describe(sight)}`);
        return { found: others };
      }
      return { seen: describe(sight) };
    },
    {
      what: `the endpoint to lead to another server than ${machine.name}`,
      ...limits,
      why: "stopping it would take the API away from everyone who uses the endpoint",
      cure:
        `${pasteText}, and see what it says of the other servers' health, then run this again; ` +
        "one that sends each client to one server only (balance source) can't be seen through: let it take turns (balance roundrobin)",
      progress,
    },
  );
}

/** A look in one line. */
function describe({ asked, failures, reached, strangers }: Sight): string {
  const who = Object.entries(reached).map(([name, count]) => `${name} ${count}`);
  const seen = [
    ...(who.length === 0 ? ["nobody we know"] : who),
    ...(strangers.length === 0
      ? []
      : [`somebody whose certificate ${strangers.join(", ")} signed`]),
    ...(failures.length === 0 ? [] : [`${failures.length} without an answer: ${failures[0]}`]),
  ];
  return `of ${asked} connections through the endpoint: ${seen.join(", ")}`;
}
