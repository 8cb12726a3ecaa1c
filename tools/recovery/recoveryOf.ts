import { ActError } from "../../acts/act.ts";
import type { RecoveryRequest } from "../../acts/recovery/request.ts";
import { accessRequest, balancersRequest, machineRequest } from "../../components/access.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";

/**
 * What a recovery of a plan's cluster is told.
 * @throws ActError when the server is not described
 */
export function recoveryOf(plan: ClusterPlan, server: string, snapshot?: string): RecoveryRequest {
  const survivor = plan.peers.find(({ name }) => name === server);
  if (survivor === undefined) {
    throw new ActError(
      `triad:machines describes no machine ${server} that could be a server`,
      "nobody knows how to reach it",
      `name one of: ${plan.peers.map(({ name }) => name).join(", ")}`,
    );
  }
  return {
    ...accessRequest(plan),
    endpoint: plan.endpoint,
    keepRunning: [...plan.keepRunning],
    survivor: machineRequest(survivor),
    lost: plan.servers.filter((one) => one.name !== server).map(machineRequest),
    workers: plan.workers.filter((one) => one.name !== server).map(machineRequest),
    balancers: balancersRequest(plan),
    ...(snapshot === undefined ? {} : { snapshot }),
  };
}

/** What is left to a person, as text. */
export function nextSteps(
  plan: ClusterPlan,
  server: string,
  kept: string | null,
  fromSnapshot: boolean,
): string {
  const lost = plan.servers.map(({ name }) => name).filter((name) => name !== server);
  const names = lost.join(" and ") || "the others";
  const gone = lost.map((name) => `       triad:machines.${name}.gone: true`);
  return [
    `${plan.name} serves again, from ${server} alone.`,
    ...(kept === null
      ? []
      : [`What ${server} held before is in ${kept} there; Triad does not delete it.`]),
    "Next:",
    `  1. Keep ${names} off, or wipe the disks before they start.${fromSnapshot ? " Two of them together would be the old cluster again." : ""}`,
    "  2. Tell Triad, then run pulumi up:",
    ...gone,
    "  3. Add machines: take gone away, put the new host keys in, and run pulumi up. Below three servers the next loss is the",
    "     same again.",
    ...(fromSnapshot
      ? [
          "If the snapshot is older than Triad's last change of the cluster (endpoint, flags, servers): docs/restore.md says how it",
          "is adopted as it is now.",
        ]
      : []),
  ].join("\n");
}
