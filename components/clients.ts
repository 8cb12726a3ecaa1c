import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { accessRequest, machineRequest } from "./access.ts";
import { after } from "./after.ts";
import { actCommand } from "./command.ts";

export interface ClientsArgs {
  readonly plan: ClusterPlan;
  /** The memberships that come first. */
  readonly afterServers: readonly pulumi.Resource[];
}

/**
 * The cluster's own clients of the API use the endpoint: each worker's kubelet, moved one by one, and kube-proxy; CoreDNS
 * no longer runs on one node alone. They
 * follow once all servers have joined. Deleting it leaves them at the endpoint.
 */
export class Clients extends pulumi.ComponentResource {
  readonly moved: readonly pulumi.Resource[];

  constructor(
    name: string,
    { plan, afterServers }: ClientsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("triad:index:Clients", name, {}, opts);
    const request = {
      ...accessRequest(plan),
      endpoint: plan.endpoint,
      servers: plan.servers.map((server) => server.nodeName),
    };
    this.moved = [
      actCommand(`${name}-kube-proxy`, "kubeProxy", after(afterServers, request), { parent: this }),
      actCommand(`${name}-coredns`, "coreDns", after(afterServers, request), { parent: this }),
      ...plan.workers.map((worker) =>
        actCommand(
          `${worker.name}-worker`,
          "worker",
          after(afterServers, { ...request, machine: machineRequest(worker) }),
          { parent: this },
        ),
      ),
    ];
    this.registerOutputs({});
  }
}
