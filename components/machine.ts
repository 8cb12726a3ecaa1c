import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import { after } from "./after.ts";
import { machineScript } from "./command.ts";
import type { VirtualMachine } from "./virtualMachine.ts";

export interface MachineArgs {
  readonly machine: MachinePlan;
  readonly plan: ClusterPlan;
  /** Text of the API servers' audit policy, where there is one. */
  readonly auditPolicy: string;
  /** What it is, where it is created. */
  readonly virtual?: VirtualMachine | undefined;
  /** What must be there to be reached. */
  readonly comesAfter: readonly pulumi.Resource[];
}

/**
 * A machine that is ready for its role: what it must reach answers, its disk is measured, and, where it is to run
 * Kubernetes, the programs and images of the pinned version lie on it. A machine that already
 * belongs to the cluster is left as it is. Deleting it takes away what Triad brought, unless the machine is a node still.
 */
export class Machine extends pulumi.ComponentResource {
  /** 99th percentile of fsync on the disk that etcd uses or would use, in milliseconds. */
  readonly fsyncP99Ms: pulumi.Output<number>;
  /** Done last: for what comes after it and must not depend on it. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: MachineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("triad:index:Machine", name, {}, opts);
    const { machine, plan, virtual } = args;
    const preflight = machineScript(
      `${name}-preflight`,
      {
        machine,
        plan,
        script: "preflight.sh",
        variables: {
          PEERS: after(args.comesAfter, { peers: mustReach(args) }).peers,
          // Only etcd minds how long a write takes to reach the disk.
          FSYNC_DIRECTORY: plan.distribution === "k3s" ? "/var/lib/rancher" : "",
          FSYNC_WARNING_MS: machine.role === "server" ? String(plan.preflight.fsyncWarningMs) : "",
        },
        removes: false,
        born: virtual?.born,
      },
      { parent: this, dependsOn: virtual === undefined ? [] : virtual.booted },
    );
    this.ready =
      machine.role === "load-balancer" ? preflight : kubernetes(name, args, this, preflight);
    this.fsyncP99Ms = preflight.stdout.apply(fsync);
    this.registerOutputs({ fsyncP99Ms: this.fsyncP99Ms });
  }
}

function kubernetes(
  name: string,
  { machine, plan, auditPolicy, virtual }: MachineArgs,
  parent: Machine,
  preflight: pulumi.Resource,
): pulumi.Resource {
  const { binaries, k3s, imageMirror = "" } = plan.artifacts;
  const isK3s = plan.distribution === "k3s";
  return machineScript(
    `${name}-kubernetes`,
    {
      machine,
      plan,
      script: isK3s ? "k3s-machine.sh" : "machine.sh",
      variables: {
        ROLE: machine.role,
        VERSION: plan.version,
        ARTIFACTS_URL: isK3s ? k3s : binaries,
        IMAGE_MIRROR: imageMirror,
        AUDIT_POLICY: machine.role === "server" ? auditPolicy : "",
      },
      born: virtual?.born,
    },
    // What goes with its disk need not be cleaned away before.
    {
      parent,
      dependsOn: preflight,
      ...(virtual === undefined ? {} : { deletedWith: virtual.resource }),
    },
  );
}

/**
 * Only what is there before the list grows, so that growing it changes nothing on the other machines; and nothing for a
 * worker, which has found the cluster already, so that another initial server changes nothing there.
 */
function mustReach({ machine, plan }: MachineArgs): string {
  const { initialServer } = plan;
  if (machine.name === initialServer.name || machine.role === "worker") return "";
  const ports = machine.role === "server" ? [6443, 2379, 2380, 10250] : [6443];
  return ports.map((port) => `${initialServer.address}:${port}`).join(" ");
}

function fsync(stdout: string): number {
  const answer: unknown = JSON.parse(stdout || "{}");
  const value =
    answer !== null && typeof answer === "object" && "fsyncP99Ms" in answer ? answer.fsyncP99Ms : 0;
  return typeof value === "number" ? value : 0;
}
