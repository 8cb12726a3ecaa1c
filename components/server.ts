import * as pulumi from "@pulumi/pulumi";
import type { MembershipRequest } from "../acts/request.ts";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import { accessRequest, balancersRequest, machineRequest } from "./access.ts";
import { after } from "./after.ts";
import { actCommand } from "./command.ts";
import { lifeOf } from "./lifeOf.ts";
import { LoadBalancer } from "./loadBalancer.ts";

export interface ServerArgs {
  readonly machine: MachinePlan;
  readonly plan: ClusterPlan;
  /** Text of the API servers' audit policy, empty for none. */
  readonly auditPolicy: string;
}

/** What a server's load balancer waits for. */
export interface BalanceArgs {
  /** The machine, where it is in the server; else the server itself depends on it. */
  readonly dependsOn: readonly pulumi.Resource[];
  /** Of a virtual machine: which life of it this is. */
  readonly born: pulumi.Output<string> | undefined;
}

/** What a server's joining waits for. */
export interface JoinArgs {
  /** The endpoint and the cluster, which outlive any server; its machine and its load balancer. */
  readonly dependsOn: readonly pulumi.Resource[];
  /** The memberships before this one in the list: servers join in its order, one at a time. */
  readonly comesAfter: readonly pulumi.Resource[];
  /** Of a virtual machine: one that was made anew joins anew. */
  readonly born: pulumi.Output<string> | undefined;
}

/**
 * A machine that is a server of the cluster, the initial one too, with the load balancer that it may carry. Deleting it
 * lets it leave: out of the load balancers and of etcd, then cleaned or a worker. A machine that is gone leaves without
 * being asked. Nothing may depend on it, so that any one server can go without touching the rest.
 */
export class Server extends pulumi.ComponentResource {
  readonly name: string;
  /** IPv4 address. */
  readonly address: string;
  readonly #args: ServerArgs;

  constructor(name: string, args: ServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("triad:index:Server", name, {}, opts);
    this.name = name;
    this.address = args.machine.address;
    this.#args = args;
    this.registerOutputs({});
  }

  /** Its own load balancer; none where other machines balance. */
  balance({ dependsOn, born }: BalanceArgs): LoadBalancer | undefined {
    const { machine, plan } = this.#args;
    const own = plan.loadBalancers.find((balancer) => balancer.name === machine.name);
    return (
      own &&
      new LoadBalancer(
        this.name,
        { machine: own, plan, born },
        { parent: this, dependsOn: [...dependsOn] },
      )
    );
  }

  /** Its membership. The machine's load balancer is there before and goes after. */
  join({ dependsOn, comesAfter, born }: JoinArgs): pulumi.Resource {
    const { machine, plan, auditPolicy } = this.#args;
    const life = lifeOf(machine, born);
    return actCommand(
      `${this.name}-membership`,
      "membership",
      after(comesAfter, {
        ...accessRequest(plan),
        version: plan.version,
        machine: machineRequest(machine),
        flags: plan.flags,
        auditPolicy,
        drain: plan.drain,
        balancers: balancersRequest(plan),
        endpoint: plan.endpoint,
        ...exceptions(this.#args),
        ...(life === undefined ? {} : { born: life }),
      }),
      { parent: this, dependsOn: [...dependsOn] },
    );
  }
}

/** Told only where they hold: a membership that the state has known for long stays as it is. */
function exceptions({ machine, plan }: ServerArgs): Partial<MembershipRequest> {
  return {
    ...(machine.gone ? { gone: true } : {}),
    ...(machine.becomes === undefined ? {} : { becomes: machine.becomes }),
    ...(plan.onDestroy === "leave" ? {} : { onDestroy: plan.onDestroy }),
  };
}
