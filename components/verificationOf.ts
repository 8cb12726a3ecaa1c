import type { Snapshots } from "../acts/k3s/snapshots.ts";
import type { VerificationRequest } from "../acts/request.ts";
import type { SnapshotsConfig } from "../config/clusterConfig.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import { accessRequest, balancersRequest, machineRequest } from "./access.ts";

/** What the verification of a plan's cluster is told. */
export function verificationOf(plan: ClusterPlan): VerificationRequest {
  return {
    ...accessRequest(plan),
    endpoint: plan.endpoint,
    servers: present(plan.servers).map((server) => server.nodeName),
    balancers: balancersRequest(plan),
    // Told only where somebody else has the endpoint, so that its name is looked at here too.
    ...(plan.endpoint.external === true && plan.dnsRecord
      ? { dns: { server: plan.dnsRecord.server, port: plan.dnsRecord.port } }
      : {}),
    initialServer: machineRequest(plan.initialServer),
    workers: present(plan.workers).map(machineRequest),
    ...(plan.snapshots ? { snapshots: snapshotsRequest(plan.snapshots) } : {}),
  };
}

function snapshotsRequest({ schedule, directory, name }: SnapshotsConfig): Snapshots {
  return { schedule, directory, name };
}
