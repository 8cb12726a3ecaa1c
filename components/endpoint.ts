import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan, DnsRecordPlan, MachinePlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import { accessRequest, balancersRequest } from "./access.ts";
import { after } from "./after.ts";
import { actCommand, machineScript } from "./command.ts";

export interface EndpointArgs {
  readonly plan: ClusterPlan;
  readonly tsigSecret: pulumi.Input<string> | undefined;
  /**
   * Load balancers that the servers carry, and servers that the record is written from: the endpoint must not depend on
   * them, as any one of them may go.
   */
  readonly comesAfter: readonly pulumi.Resource[];
}

/**
 * The name and address by which the API is reached: the DNS record, where Triad may write it, and a gate that lets
 * nothing go on until the name resolves and a load balancer answers at the address. Deleting it leaves the record, but
 * for a wipe: the cluster and its clients go on without the stack.
 */
export class Endpoint extends pulumi.ComponentResource {
  constructor(
    name: string,
    { plan, tsigSecret, comesAfter }: EndpointArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("triad:index:Endpoint", name, {}, opts);
    const record =
      plan.dnsRecord && tsigSecret
        ? dnsRecord(name, { plan, tsigSecret, comesAfter }, plan.dnsRecord, this)
        : [];
    actCommand(
      `${name}-up`,
      "endpoint",
      after(comesAfter, {
        ...accessRequest(plan),
        endpoint: plan.endpoint,
        balancers: balancersRequest(plan),
        ...(plan.dnsRecord
          ? { dns: { server: plan.dnsRecord.server, port: plan.dnsRecord.port } }
          : {}),
      }),
      { parent: this, dependsOn: record },
    );
    this.registerOutputs({});
  }
}

/**
 * Written from a load balancer, or from the initial server where somebody else balances: these stand in the network where
 * the DNS server takes updates.
 */
function dnsRecord(
  name: string,
  { plan, tsigSecret = "", comesAfter }: EndpointArgs,
  record: DnsRecordPlan,
  parent: pulumi.Resource,
): pulumi.Resource[] {
  const machine: MachinePlan | undefined =
    plan.endpoint.external === true ? plan.initialServer : present(plan.loadBalancers)[0];
  if (machine === undefined) return [];
  // A machine that exists can write it at once; another one is there when its load balancer is.
  const first = machine.vm === undefined ? [] : comesAfter;
  // A server that was created is destroyed before the record could be taken back from it.
  const isAlive = machine.vm === undefined || machine.role !== "server";
  const removes = plan.onDestroy === "wipe" && isAlive;
  const variables = {
    DNS_SERVER: record.server,
    DNS_PORT: String(record.port),
    ZONE: record.zone,
    NAME: record.name,
    ADDRESS: after(first, record).address,
    TTL: String(record.ttl),
    TSIG_NAME: record.tsig.name,
    TSIG_ALGORITHM: record.tsig.algorithm,
    TSIG_SECRET: tsigSecret,
  };
  return [
    machineScript(
      `${name}-dns`,
      { machine, plan, script: "dns-record.sh", variables, removes },
      { parent },
    ),
  ];
}
