import type * as pulumi from "@pulumi/pulumi";
import { tokenVariable } from "../acts/checkpoint/tokenVariable.ts";
import type { CheckpointsRequest } from "../acts/request.ts";
import { checkpointedServers } from "../plan/checkpoints.ts";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import { accessRequest, machineRequest } from "./access.ts";
import { actCommand } from "./command.ts";
import type { ControlPlaneArgs } from "./controlPlane.ts";

type CheckpointsArgs = Pick<ControlPlaneArgs, "plan" | "auditPolicy" | "proxmoxToken">;

/**
 * Checkpoints of the servers that are virtual machines, before the control plane is changed: taken anew when what may
 * change on them changes. Nothing is registered where there are none to take. Nothing depends on a machine by it: a number
 * at Proxmox is all that it is told.
 */
export function checkpointsCommand(
  name: string,
  { plan, auditPolicy, proxmoxToken }: CheckpointsArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const servers = checkpointedServers(plan);
  const { proxmox } = plan;
  if (proxmox?.checkpoints === undefined || servers.length === 0) return [];
  if (proxmoxToken === undefined) {
    throw new Error("checkpoints are to be taken, and nothing says by whom");
  }
  const { endpoint, insecure, checkpoints } = proxmox;
  const request: CheckpointsRequest = {
    ...accessRequest(plan),
    clusterName: plan.name,
    proxmox: { endpoint, insecure },
    keep: checkpoints.keep,
    guests: servers.map(({ machine, vmId }) => ({ machine: machineRequest(machine), vmId })),
    change: changeOf(plan, auditPolicy),
  };
  const secrets = { [tokenVariable]: proxmoxToken };
  return [actCommand(`${name}-checkpoints`, "checkpoints", request, opts, false, secrets)];
}

/**
 * What makes a run restart a server, or change who is one. That a machine went back is none: the checkpoint is still there,
 * and another one would only take the place of one from before the change.
 */
function changeOf(plan: ClusterPlan, auditPolicy: string): Record<string, unknown> {
  const { convert, endpoint, flags, version } = plan;
  const servers = present(plan.servers).map(({ nodeName }) => nodeName);
  return { version, endpoint, flags, auditPolicy, convert, servers };
}
