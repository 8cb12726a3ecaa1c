import type { Intent } from "../../acts/rollback/request.ts";
import type { RolledBack } from "../../acts/rollback/rollBack.ts";

/** What is about to be lost, for whoever is to agree. */
export function whatIsLost(
  server: string,
  cluster: string,
  { guest, checkpoint, standing }: Intent,
  now: Date,
): string {
  const at = new Date(checkpoint.at * 1_000);
  const hours = Math.max(0, (now.getTime() - at.getTime()) / 3_600_000).toFixed(1);
  const back = `${guest} goes back to ${checkpoint.name}, ${at.toISOString()}, ${hours} hours ago.`;
  if (standing.kind === "peers") {
    return [
      back,
      "What was written to its disks since is lost, for good: volumes that are only there, logs, files, also its settings at",
      `Proxmox. What ${cluster} knows is not: the other servers have it, and go on (${standing.others}).`,
      `${server} leaves etcd first, its pods go elsewhere, and it comes back as an empty machine. Until it has joined again`,
      "the cluster has one server less.",
    ].join("\n");
  }
  return [
    back,
    `It is the only server, so ALL of ${cluster} goes back: every object that was written since is lost, for good, and so is`,
    "all else on its disks, also its settings at Proxmox. Volumes elsewhere do not go back with it. Where the API still",
    "answers, a backup of now is kept on this computer first. The API is away for some minutes then; afterwards agents or",
    "kubelets, CoreDNS and what watches the API restart, one after the other.",
  ].join("\n");
}

/** What is left to a person, as text. */
export function nextSteps(
  cluster: string,
  server: string,
  { checkpoint, standing }: RolledBack,
): string {
  const what =
    standing.kind === "peers"
      ? [
          `${server} is as it was at ${checkpoint.name}, and an empty machine: what its etcd held then is in /var/lib/triad/left`,
          "there.",
          "Next, so that what was set up on it since is set up again, and it joins:",
        ]
      : [
          `${cluster} serves again, as it was at ${checkpoint.name}.`,
          "Next, so that what Triad has changed since is changed again:",
        ];
  return [
    ...what,
    "  1. In the stack's file:",
    `       triad:machines.${server}.rolledBack: ${checkpoint.name}`,
    "  2. pulumi up --refresh",
  ].join("\n");
}
