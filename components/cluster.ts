import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import { Clients } from "./clients.ts";
import { ControlPlane } from "./controlPlane.ts";
import { Endpoint } from "./endpoint.ts";
import { leaving, type ServerOutput } from "./leaving.ts";
import { LoadBalancer } from "./loadBalancer.ts";
import { Machine } from "./machine.ts";
import { Server } from "./server.ts";
import { Verification } from "./verification.ts";

export interface ClusterArgs {
  readonly plan: ClusterPlan;
  /** Key of the DNS server, where Triad writes the endpoint's record. */
  readonly tsigSecret: pulumi.Input<string> | undefined;
  /** Text of the API servers' audit policy, empty for none. */
  readonly auditPolicy: string;
}

/**
 * A cluster, in the order in which it comes about. Edges lead only to machines, load balancers of their own, the
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

    const machines = readyMachines(args, this);
    const loadBalancers = plan.ownLoadBalancers
      ? []
      : plan.loadBalancers.map(
          (machine) =>
            new LoadBalancer(
              machine.name,
              { machine, plan },
              { parent: this, dependsOn: ready(machines, machine.name) },
            ),
        );
    const servers = plan.servers.map((machine) => ({
      isGone: machine.gone,
      machine: ready(machines, machine.name),
      server: new Server(
        machine.name,
        { machine, plan, auditPolicy },
        { parent: this, dependsOn: ready(machines, machine.name) },
      ),
    }));
    const endpoint = new Endpoint(
      name,
      {
        plan,
        tsigSecret: args.tsigSecret,
        comesAfter: servers.flatMap(({ server }) => server.loadBalancer?.up ?? []),
      },
      { parent: this, dependsOn: loadBalancers },
    );
    const controlPlane = new ControlPlane(
      name,
      { plan },
      { parent: this, dependsOn: [endpoint, ...ready(machines, plan.initialServer.name)] },
    );
    const memberships: pulumi.Resource[] = [];
    // Those that are gone first: no server can join while etcd counts a dead one.
    for (const { machine, server } of servers.toSorted(byGone)) {
      const dependsOn = [controlPlane, endpoint, ...machine];
      memberships.push(server.join({ dependsOn, comesAfter: [...memberships] }));
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
    this.servers = leaving(servers.filter(({ isGone }) => !isGone).map(({ server }) => server));
    this.registerOutputs({
      verified: this.verified,
      fsyncP99Ms: this.fsyncP99Ms,
      servers: this.servers,
    });
  }
}

function readyMachines({ plan, auditPolicy }: ClusterArgs, parent: Cluster): Map<string, Machine> {
  return new Map(
    plan.machines.map((machine) => [
      machine.name,
      new Machine(machine.name, { machine, plan, auditPolicy }, { parent }),
    ]),
  );
}

function ready(machines: ReadonlyMap<string, Machine>, name: string): Machine[] {
  const machine = machines.get(name);
  return machine === undefined ? [] : [machine];
}

function byGone(one: { isGone: boolean }, other: { isGone: boolean }): number {
  return Number(other.isGone) - Number(one.isGone);
}
