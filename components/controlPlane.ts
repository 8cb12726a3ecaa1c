import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../plan/clusterPlan.ts";
import { present } from "../plan/present.ts";
import { accessRequest, machineRequest } from "./access.ts";
import { after } from "./after.ts";
import { checkpointsCommand } from "./checkpoints.ts";
import { actCommand } from "./command.ts";

export interface ControlPlaneArgs {
  readonly plan: ClusterPlan;
  /** Text of the API servers' audit policy, empty for none. */
  readonly auditPolicy: string;
  /** Of Proxmox's API; there where checkpoints are taken. */
  readonly proxmoxToken: pulumi.Input<string> | undefined;
  /** Machines that are in a server, and go with it: what they hold must be seen, and nothing may depend on them. */
  readonly comesAfter: readonly pulumi.Resource[];
}

/**
 * The cluster exists and has its endpoint: adopted and retrofitted without a restart, or created where the config
 * allows it, after a backup that a longer list of servers renews, and after checkpoints of the virtual machines, where they
 * are asked for; converted, where a second server needs that. The load balancers get what their readiness check needs.
 * Deleting it does nothing: a cluster that is forgotten runs on.
 */
export class ControlPlane extends pulumi.ComponentResource {
  constructor(
    name: string,
    { plan, auditPolicy, proxmoxToken, comesAfter }: ControlPlaneArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("triad:index:ControlPlane", name, {}, opts);
    const access = accessRequest(plan);
    const backup = actCommand(
      `${name}-backup`,
      "backup",
      after(comesAfter, {
        ...access,
        clusterName: plan.name,
        initialise: plan.initialise,
        directory: plan.backup.directory,
        servers: present(plan.servers).map((server) => server.nodeName),
      }),
      { parent: this },
    );
    const checkpoints = checkpointsCommand(
      name,
      { plan, auditPolicy, proxmoxToken },
      { parent: this, dependsOn: backup },
    );
    const exists = actCommand(
      `${name}-control-plane`,
      "controlPlane",
      {
        ...access,
        clusterName: plan.name,
        version: plan.version,
        initialise: plan.initialise,
        // Where there is a cluster it matters to nobody, and may change.
        ...(plan.initialise ? { initialServer: machineRequest(plan.initialServer) } : {}),
        ...notCreated(plan),
        endpoint: plan.endpoint,
        podCidr: plan.podCidr,
        serviceCidr: plan.serviceCidr,
        flags: plan.flags,
        convert: plan.convert,
        keepRunning: plan.keepRunning,
        ...rolledBack(plan),
      },
      { parent: this, dependsOn: [backup, ...checkpoints] },
    );
    if (plan.distribution === "k3s") {
      const request = {
        ...accessRequest(plan),
        loadBalancers: present(plan.loadBalancers).map(machineRequest),
      };
      actCommand(`${name}-readiness`, "readiness", request, { parent: this, dependsOn: exists });
    }
    this.registerOutputs({});
  }
}

/** Machines that will be created when they get a role: where a new cluster may be made, their silence is no riddle. */
function notCreated({ initialise, machines, peers }: ClusterPlan): { absent?: string[] } {
  const absent = peers
    .filter(({ name, vm }) => vm !== undefined && !machines.some((one) => one.name === name))
    .map(({ name }) => name);
  return initialise && absent.length > 0 ? { absent } : {};
}

/** What was done to a cluster that went back is done again. */
function rolledBack({ servers }: ClusterPlan): { rolledBack?: Record<string, string> } {
  const back = present(servers).flatMap(({ name, rolledBack: to }) =>
    to === undefined ? [] : [[name, to] as const],
  );
  return back.length === 0 ? {} : { rolledBack: Object.fromEntries(back) };
}
