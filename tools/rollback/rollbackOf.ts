import { ActError } from "../../acts/act.ts";
import type { RollbackRequest } from "../../acts/rollback/request.ts";
import { accessRequest, balancersRequest } from "../../components/access.ts";
import { numberAtProxmox } from "../../plan/checkpoints.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { recoveryOf } from "../recovery/recoveryOf.ts";

/**
 * What a rollback of a plan's server is told.
 * @throws ActError when the server is not described, or is not known to be at Proxmox
 */
export function rollbackOf(
  plan: ClusterPlan,
  server: string,
  checkpoint?: string,
): RollbackRequest {
  const recovery = recoveryOf(plan, server);
  const machine = plan.peers.find(({ name }) => name === server);
  const vmId = machine && numberAtProxmox(plan, machine);
  if (plan.proxmox === undefined || vmId === undefined) {
    throw new ActError(
      `nothing says which machine at Proxmox ${server} is`,
      "only a virtual machine there has checkpoints",
      `describe it: machines.${server}.proxmox where Triad created it, else proxmox.checkpoints.existing`,
    );
  }
  const { endpoint, insecure } = plan.proxmox;
  return {
    clusterName: plan.name,
    directory: plan.backup.directory,
    membership: {
      ...accessRequest(plan),
      version: plan.version,
      machine: recovery.survivor,
      // It changes none.
      flags: { server: {}, apiServer: {}, etcd: {}, audit: false },
      auditPolicy: "",
      drain: plan.drain,
      balancers: balancersRequest(plan),
      endpoint: plan.endpoint,
      gone: false,
      onDestroy: "leave",
    },
    recovery,
    proxmox: { endpoint, insecure },
    vmId,
    ...(checkpoint === undefined ? {} : { checkpoint }),
  };
}
