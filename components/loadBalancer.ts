import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { ClusterPlan, LoadBalancerPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import { machineScript } from "./command.ts";

export interface LoadBalancerArgs {
  readonly machine: LoadBalancerPlan;
  readonly plan: ClusterPlan;
  /** Of a virtual machine: which life of it this is. */
  readonly born?: pulumi.Input<string> | undefined;
}

/**
 * HAProxy, which passes connections to servers whose API is ready, and keepalived, which holds the endpoint's address
 * on one of the load balancers: machines of their own, or the servers. A new server enters disabled; its membership
 * enables it. Deleting it stops both and puts the machine's own configuration back, but for the last load balancer that
 * holds the endpoint, and those of servers that stay: destroying the stack leaves a cluster, and its clients need the
 * endpoint.
 */
export class LoadBalancer extends pulumi.ComponentResource {
  /** Done last: then the endpoint's address can be held here. */
  readonly up: pulumi.Resource;

  constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("triad:index:LoadBalancer", name, {}, opts);
    const { result: statsPassword } = new RandomPassword(
      `${name}-stats-password`,
      { length: 24, special: false },
      { parent: this },
    );
    const { born } = args;
    const haproxy = machineScript(
      `${name}-haproxy`,
      { ...haproxyArgs(args, statsPassword), born },
      { parent: this },
    );
    this.up = machineScript(
      `${name}-keepalived`,
      { ...keepalivedArgs(args), born },
      { parent: this, dependsOn: haproxy },
    );
    this.registerOutputs({});
  }
}

function haproxyArgs(
  { machine, plan }: LoadBalancerArgs,
  statsPassword: pulumi.Input<string>,
): Parameters<typeof machineScript>[1] {
  return {
    machine,
    plan,
    script: "haproxy.sh",
    variables: {
      ENDPOINT_ADDRESS: plan.endpoint.address,
      ENDPOINT_PORT: String(plan.endpoint.port),
      OWN_ADDRESS: machine.address,
      SERVERS: present(plan.servers)
        .map((server) => `${server.name}=${server.address}`)
        .join(" "),
      INITIAL_SERVER: plan.initialServer.name,
      // k3s answers strangers 401; its check has a credential, which it gets once there is a cluster.
      CHECK: plan.distribution === "k3s" ? "token" : "anonymous",
      STATS_PASSWORD: statsPassword,
      OWN: own(plan),
    },
  };
}

function keepalivedArgs({ machine, plan }: LoadBalancerArgs): Parameters<typeof machineScript>[1] {
  const peers = present(plan.loadBalancers).filter((other) => other.name !== machine.name);
  return {
    machine,
    plan,
    script: "keepalived.sh",
    variables: {
      VIRTUAL_ADDRESS: plan.endpoint.address,
      PREFIX_LENGTH: String(plan.endpoint.prefixLength),
      ROUTER_ID: String(plan.endpoint.virtualRouterId),
      PRIORITY: String(machine.priority),
      ENDPOINT_PORT: String(plan.endpoint.port),
      OWN_ADDRESS: machine.address,
      PEERS: peers.map((peer) => peer.address).join(" "),
      INTERFACE: machine.interface ?? "",
      OWN: own(plan),
    },
  };
}

/** A server's own load balancer goes exactly if that server has left. */
function own({ ownLoadBalancers }: ClusterPlan): string {
  return ownLoadBalancers ? "true" : "";
}
