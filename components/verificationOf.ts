import type { VerificationRequest } from "../acts/request.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { accessRequest, machineRequest } from "./access.ts";

/** What the verification of a plan's cluster is told. */
export function verificationOf(plan: ClusterPlan): VerificationRequest {
  return {
    ...accessRequest(plan),
    endpoint: plan.endpoint,
    servers: plan.servers.map((server) => server.nodeName),
    initialServer: machineRequest(plan.initialServer),
    workers: plan.workers.map(machineRequest),
  };
}
