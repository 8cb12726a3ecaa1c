import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import type { WorldJudgement } from "../observe.ts";
import { checkpointedServers } from "../../plan/checkpoints.ts";
import { type ProxmoxAccess, ProxmoxError } from "../../proxmox/api.ts";
import { rightsOf } from "../../proxmox/rights.ts";
import { judgeProxmox } from "./judgeProxmox.ts";
import { rightsFaults } from "./judgeRights.ts";
import { memoryTable } from "./judgeMemory.ts";
import { lookAtProxmox } from "./look.ts";
import { guestOf } from "./memory.ts";
import { strangers } from "./strangers.ts";
import { virtualMachinesOf } from "./virtualMachinesOf.ts";

/** What Proxmox says of the plan. */
export interface ProxmoxJudgement extends WorldJudgement {
  /** Names of machines that are not created yet, so that nobody needs to look for them. */
  readonly absent: readonly string[];
}

const nothing: ProxmoxJudgement = { faults: [], warnings: [], notes: [], absent: [] };

/**
 * Looks at the Proxmox cluster and judges the plan by it. Where it can't be reached the machines are taken for created:
 * a run that creates one fails there without having changed anything.
 *
 * @param token `user@realm!name=secret`; without it nobody is asked
 */
export async function observeProxmox(
  plan: ClusterPlan,
  token: string | undefined,
): Promise<ProxmoxJudgement> {
  if (plan.proxmox === undefined || token === undefined) return nothing;
  const { endpoint, insecure } = plan.proxmox;
  try {
    return await look(plan, { endpoint, insecure, token });
  } catch (error) {
    if (!(error instanceof ProxmoxError)) throw error;
    if (error.kind !== "unreachable") return { ...nothing, faults: [error.message] };
    const unknown =
      "whether the nodes have room for what is created, and the token its rights, is not known";
    return { ...nothing, warnings: [`${error.message}; ${unknown}`] };
  }
}

async function look(plan: ClusterPlan, access: ProxmoxAccess): Promise<ProxmoxJudgement> {
  const machines = virtualMachinesOf(plan);
  if (machines.length === 0) {
    // Where only checkpoints are taken of machines that exist, the rest is nobody's business.
    if (checkpointedServers(plan).length === 0) return nothing;
    const rights = await rightsOf(access);
    return { ...nothing, faults: rightsFaults(plan, { guests: [], rights }) };
  }
  const facts = await lookAtProxmox(plan, access);
  const { faults, warnings } = judgeProxmox(plan, facts);
  const absent = machines.filter((machine) => guestOf(machine, facts.guests) === undefined);
  return {
    faults: [...faults, ...(await strangers(absent))],
    warnings,
    notes: [memoryTable(plan, facts)],
    absent: absent.map(({ name }) => name),
  };
}
