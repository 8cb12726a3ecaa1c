import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import { Clients } from "./clients.ts";
import { ControlPlane } from "./controlPlane.ts";
import { Endpoint } from "./endpoint.ts";
import { leaving, type ServerOutput } from "./leaving.ts";
import { LoadBalancer } from "./loadBalancer.ts";
import { Machine } from "./machine.ts";
import { Server } from "./server.ts";
import { Verification } from "./verification.ts";
import type { VirtualMachine } from "./virtualMachine.ts";
import { virtualMachines, type VmSecrets } from "./virtualMachines.ts";

export interface ClusterArgs {
  readonly plan: ClusterPlan;
  /** Key of the DNS server, where Triad writes the endpoint's record. */
  readonly tsigSecret: pulumi.Input<string> | undefined;
  /** Text of the API servers' audit policy, empty for none. */
  readonly auditPolicy: string;
  /** With what machines are created, where any are. */
  readonly vmSecrets?: VmSecrets | undefined;
}

/**
 * A cluster, in the order in which it comes about. Edges lead only to machines that exist by themselves, load balancers of their own, the
 * endpoint and the cluster's existence; nothing depends on a server, what comes after a server is only registered after
 * it.
 */
export class Cluster extends pulumi.ComponentResource {
  readonly verified: pulumi.Output<unknown>;
  readonly fsyncP99Ms: pulumi.Output<Record<string, number>>;
  /** Of each server that is not gone: how it is let go alone. */
  readonly servers: pulumi.Output<Record<string, ServerOutput>>;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("triad:index:Cluster", name, {}, opts);
    const { plan, auditPolicy } = args;

    // A machine that is created goes with its server, so it is in there, and the server cannot wait for it.
    const hosts = new Map(
      plan.servers
        .filter(({ vm }) => vm !== undefined)
        .map((machine) => [
          machine.name,
          new Server(machine.name, { machine, plan, auditPolicy }, { parent: this }),
        ]),
    );
    const virtual = virtualMachines(plan, args.vmSecrets, hosts, this);
    const machines = readyMachines(args, virtual, this);
    const servers = plan.servers.map((machine) => ({
      machine,
      server:
        hosts.get(machine.name) ??
        new Server(
          machine.name,
          { machine, plan, auditPolicy },
          { parent: this, dependsOn: ready(machines, machine.name) },
        ),
    }));
    const born = (name: string): pulumi.Output<string> | undefined => virtual.get(name)?.born;
    const loadBalancers = plan.ownLoadBalancers
      ? []
      : plan.loadBalancers.map(
          (machine) =>
            new LoadBalancer(
              machine.name,
              { machine, plan, born: born(machine.name) },
              { parent: this, dependsOn: ready(machines, machine.name) },
            ),
        );
    const carried = new Map(
      servers.map(({ machine: { name }, server }) => {
        const dependsOn = virtual.has(name) ? ready(machines, name) : [];
        return [name, server.balance({ dependsOn, born: born(name) })];
      }),
    );
    const endpoint = new Endpoint(
      name,
      {
        plan,
        tsigSecret: args.tsigSecret,
        comesAfter: [
          ...[...carried.values()].flatMap((balancer) => balancer?.up ?? []),
          ...(plan.endpoint.external === true ? createdFirst(plan, virtual, machines) : []),
        ],
      },
      { parent: this, dependsOn: loadBalancers },
    );
    const controlPlane = new ControlPlane(
      name,
      {
        plan,
        auditPolicy,
        proxmoxToken: args.vmSecrets?.token,
        comesAfter: createdFirst(plan, virtual, machines),
      },
      {
        parent: this,
        dependsOn: [
          endpoint,
          ...(hosts.has(plan.initialServer.name) ? [] : ready(machines, plan.initialServer.name)),
        ],
      },
    );
    const memberships: pulumi.Resource[] = [];
    // Those that are gone first: no server can join while etcd counts a dead one.
    for (const { machine, server } of servers.toSorted(byGone)) {
      const { name } = machine;
      const balancer = carried.get(name);
      memberships.push(
        server.join({
          dependsOn: [
            controlPlane,
            endpoint,
            ...ready(machines, name),
            ...(balancer === undefined ? [] : [balancer]),
          ],
          comesAfter: [...memberships],
          born: born(name),
        }),
      );
    }
    const outside = { parent: this, dependsOn: [controlPlane, endpoint] };
    const clients = new Clients(name, { plan, afterServers: memberships }, outside);
    const comesAfter = [...memberships, ...clients.moved];
    const verification = new Verification(
      name,
      { plan, comesAfter },
      // The engine deletes by depth: so it is deleted before any membership, and says that all goes.
      { parent: this, dependsOn: [controlPlane, endpoint, clients] },
    );

    this.verified = verification.found;
    this.fsyncP99Ms = pulumi.output(
      Object.fromEntries(
        present(plan.servers).map(({ name }) => [name, machines.get(name)?.fsyncP99Ms ?? 0]),
      ),
    );
    this.servers = leaving(
      servers.filter(({ machine }) => !machine.gone).map(({ server }) => server),
    );
    this.registerOutputs({
      verified: this.verified,
      fsyncP99Ms: this.fsyncP99Ms,
      servers: this.servers,
    });
  }
}

function readyMachines(
  { plan, auditPolicy }: ClusterArgs,
  virtual: ReadonlyMap<string, VirtualMachine>,
  parent: Cluster,
): Map<string, Machine> {
  const initial = virtual.get(plan.initialServer.name)?.booted;
  return new Map(
    plan.machines.map((machine) => {
      const own = virtual.get(machine.name);
      const comesAfter = initial === undefined || own?.booted === initial ? [] : [initial];
      const dependsOn = own === undefined ? [] : [own];
      return [
        machine.name,
        new Machine(
          machine.name,
          { machine, plan, auditPolicy, virtual: own, comesAfter },
          { parent, dependsOn },
        ),
      ];
    }),
  );
}

/** Machines in a server that the cluster's existence waits for, without an edge: where it begins, and who might hold one. */
function createdFirst(
  { initialise, initialServer, peers }: ClusterPlan,
  virtual: ReadonlyMap<string, VirtualMachine>,
  machines: ReadonlyMap<string, Machine>,
): pulumi.Resource[] {
  const asked = initialise ? peers : [initialServer];
  return asked.flatMap(({ name }) =>
    virtual.has(name) ? ready(machines, name).map((machine) => machine.ready) : [],
  );
}

function ready(machines: ReadonlyMap<string, Machine>, name: string): Machine[] {
  const machine = machines.get(name);
  return machine === undefined ? [] : [machine];
}

interface PlannedServer {
  readonly machine: MachinePlan;
  readonly server: Server;
}

function byGone(one: PlannedServer, other: PlannedServer): number {
  return Number(other.machine.gone) - Number(one.machine.gone);
}
