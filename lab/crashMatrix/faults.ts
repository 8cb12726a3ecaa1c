import { exec, fault, untilUp } from "../machines/machine.ts";
import { must, run } from "../machines/shell.ts";
import { eventually } from "../measure/eventually.ts";
import { kubectl } from "../measure/inside.ts";
import { machinesWith, type LabMachine, type Topology } from "../topology.ts";
import { members, membersSeenBy } from "./members.ts";
import { machineAs, type Part, type Scene } from "./scene.ts";

/** What befalls a run. */
export interface Fault {
  readonly what: (topology: Topology) => string;
  readonly strike: (scene: Scene) => Promise<void>;
  /** Takes it away again; until then, or until the run has ended by itself, it lasts. */
  readonly lift: (topology: Topology) => Promise<void>;
  /** How long it lasts at most, ms. */
  readonly lastsMs: number;
  /** What the operator waits for before he goes on. */
  readonly repair?: (topology: Topology) => Promise<void>;
}

/** The engine ends from one moment to the next; what it has started lives on or not, as it may. */
export const killed: Fault = {
  what: () => "pulumi killed",
  strike: async ({ run }) => run.kill(),
  lift: async () => undefined,
  lastsMs: 0,
};

/**
 * The operator's connections to a machine are gone and no new ones come about. The machine does not know: what runs there
 * by one of them goes on.
 */
export function sshCut(part: Part): Fault {
  const rule = (topology: Topology, verb: string): string[] => {
    const { address } = machineAs(topology, part);
    const flow = ["to", address, "ipproto", "tcp", "dport", "22", "unreachable"];
    return ["ip", "-n", topology.namespace, "rule", verb, ...flow];
  };
  return {
    what: (topology) => `SSH to ${machineAs(topology, part).name} cut`,
    strike: async ({ topology }) => {
      const { address } = machineAs(topology, part);
      await must(rule(topology, "add"));
      const connections = ["dst", address, "dport", "=", "22"];
      await must(["ip", "netns", "exec", topology.namespace, "ss", "--kill", ...connections]);
    },
    lift: async (topology) => {
      await run(rule(topology, "del"));
    },
    lastsMs: 20_000,
  };
}

/** The plug of a machine is pulled, and put back later. */
export function powerOff(part: Part): Fault {
  return {
    what: (topology) => `${machineAs(topology, part).name} powered off`,
    strike: ({ topology }) => fault(topology, "power-off", machineAs(topology, part)),
    lift: (topology) => fault(topology, "power-on", machineAs(topology, part)),
    lastsMs: 30_000,
    repair: (topology) => untilBack(topology, machineAs(topology, part)),
  };
}

/** A load balancer is off: the machine, or what balances on it where that is a server. */
export function balancerOff(part: Part): Fault {
  return {
    what: (topology) => `load balancer on ${machineAs(topology, part).name} off`,
    strike: async ({ topology }) => {
      const machine = machineAs(topology, part);
      if (!ownsBalancers(topology)) return fault(topology, "power-off", machine);
      await exec(machine.name, ["systemctl", "kill", "--signal=KILL", "keepalived", "haproxy"]);
      await exec(machine.name, ["systemctl", "stop", "keepalived", "haproxy"]);
    },
    lift: async (topology) => {
      const machine = machineAs(topology, part);
      if (!ownsBalancers(topology)) return fault(topology, "power-on", machine);
      await exec(machine.name, ["systemctl", "start", "haproxy", "keepalived"]);
    },
    lastsMs: 30_000,
    repair: (topology) => untilBack(topology, machineAs(topology, part)),
  };
}

function ownsBalancers(topology: Topology): boolean {
  return machinesWith(topology, "load-balancer").length === 0;
}

/**
 * Waits until a machine has booted and the cluster has taken notice, as somebody does who has put the plug back. What
 * takes longer than a minute is left to the run that heals.
 */
async function untilBack(topology: Topology, machine: LabMachine): Promise<void> {
  await untilUp(topology, machine);
  await eventually(60, async () => {
    await kubectl(topology, ["get", "--raw=/readyz"]);
    const voters = (await members(topology))?.voters ?? [];
    const views = await Promise.all(voters.map((name) => membersSeenBy(topology, name)));
    return views.includes(undefined) ? "a member of etcd does not answer yet" : undefined;
  }).catch(() => undefined);
}
