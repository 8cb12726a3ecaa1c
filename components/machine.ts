import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import { machineScript } from "./command.ts";

export interface MachineArgs {
  readonly machine: MachinePlan;
  readonly plan: ClusterPlan;
  /** Text of the API servers' audit policy, where there is one. */
  readonly auditPolicy: string;
}

/**
 * A machine that is ready for its role: what it must reach answers, its disk is measured, and, where it is to run
 * Kubernetes, the programs and images of the pinned version lie on it. A machine that already
 * belongs to the cluster is left as it is. Deleting it takes away what Triad brought, unless the machine is a node still.
 */
export class Machine extends pulumi.ComponentResource {
  /** 99th percentile of fsync on the disk that etcd uses or would use, in milliseconds. */
  readonly fsyncP99Ms: pulumi.Output<number>;

  constructor(name: string, args: MachineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("triad:index:Machine", name, {}, opts);
    const { machine, plan } = args;
    const preflight = machineScript(
      `${name}-preflight`,
      {
        machine,
        plan,
        script: "preflight.sh",
        variables: {
          PEERS: mustReach(args),
          // Only etcd minds how long a write takes to reach the disk.
          FSYNC_DIRECTORY: plan.distribution === "k3s" ? "/var/lib/rancher" : "",
          FSYNC_WARNING_MS: machine.role === "server" ? String(plan.preflight.fsyncWarningMs) : "",
        },
        removes: false,
      },
      { parent: this },
    );
    if (machine.role !== "load-balancer") kubernetes(name, args, this, preflight);
    this.fsyncP99Ms = preflight.stdout.apply(fsync);
    this.registerOutputs({ fsyncP99Ms: this.fsyncP99Ms });
  }
}

function kubernetes(
  name: string,
  { machine, plan, auditPolicy }: MachineArgs,
  parent: Machine,
  preflight: pulumi.Resource,
): void {
  const { binaries, k3s, imageMirror = "" } = plan.artifacts;
  const isK3s = plan.distribution === "k3s";
  machineScript(
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
    },
    { parent, dependsOn: preflight },
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
