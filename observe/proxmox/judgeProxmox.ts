import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import type { Judgement } from "../judge.ts";
import type { ProxmoxFacts } from "./facts.ts";
import { judgeGuests } from "./judgeGuests.ts";
import { judgeMemory } from "./judgeMemory.ts";
import { blindness, rightsFaults } from "./judgeRights.ts";
import { storageFaults } from "./judgeStorage.ts";

/**
 * Judges what the plan asks of Proxmox by what was seen there: pure, so that every rule is a line of a table. It judges by
 * growth: a plan that adds nothing passes on a node that has promised too much.
 */
export function judgeProxmox(plan: ClusterPlan, facts: ProxmoxFacts): Judgement {
  const blind = blindness(facts, plan);
  // What can't be seen can't be judged.
  if (blind.length > 0) return { faults: blind, warnings: [] };
  const guests = judgeGuests(plan, facts);
  const memory = judgeMemory(plan, facts);
  return {
    faults: [
      ...rightsFaults(plan, facts),
      ...guests.faults,
      ...storageFaults(plan, facts),
      ...memory.faults,
    ],
    warnings: [...guests.warnings, ...memory.warnings],
  };
}
