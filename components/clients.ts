import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { accessRequest, machineRequest } from "./access.ts";
import { after } from "./after.ts";
import { actCommand, type ActName } from "./command.ts";

export interface ClientsArgs {
  readonly plan: ClusterPlan;
  /** The memberships that come first. */
  readonly afterServers: readonly pulumi.Resource[];
}

/**
 * The cluster's own clients of the API use the endpoint: each worker's kubelet, moved one by one, and kube-proxy; CoreDNS
 * no longer runs on one node alone. They follow once all servers have joined, each after the one before. Deleting
 * it leaves them at the endpoint.
 */
export class Clients extends pulumi.ComponentResource {
  readonly moved: readonly pulumi.Resource[];

  constructor(
    name: string,
    { plan, afterServers }: ClientsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("triad:index:Clients", name, {}, opts);
    // Without the list of servers: they come first by the order, and another list moves nobody.
    const request = {
      ...accessRequest(plan),
      endpoint: plan.endpoint,
      ...(plan.moveWorkers ? {} : { move: false }),
    };
    const moved: pulumi.Resource[] = [];
    // One after the other: each would wait for the Lease anyway, and polling would cost the servers what they need.
    const next = (what: string, act: ActName, told: object): void => {
      moved.push(actCommand(what, act, after([...afterServers, ...moved], told), { parent: this }));
    };
    if (plan.distribution === "kubeadm") {
      // On k3s kube-proxy is part of the agent, and CoreDNS has one pod that any node may run.
      next(`${name}-kube-proxy`, "kubeProxy", request);
      next(`${name}-coredns`, "coreDns", request);
    }
    for (const worker of plan.workers) {
      next(`${worker.name}-worker`, "worker", {
        ...request,
        machine: machineRequest(worker),
        ...(worker.gone ? { gone: true } : {}),
      });
    }
    this.moved = moved;
    this.registerOutputs({});
  }
}
