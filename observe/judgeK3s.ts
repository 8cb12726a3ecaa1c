import { cureOfConversion } from "../config/values/k3sDefects.ts";
import type { ClusterPlan, MachinePlan } from "../plan/clusterPlan.ts";
import type { Judgement } from "./judge.ts";
import type { MachineFacts } from "./observation.ts";

const nothing: Judgement = { faults: [], warnings: [] };

/** What only k3s's servers, and agents that are to become servers, can have wrong. */
export function judgeK3s(
  machine: MachinePlan,
  { k3s }: MachineFacts,
  plan: ClusterPlan,
): Judgement {
  const isToServe = plan.distribution === "k3s" && machine.role === "server";
  if (!isToServe || k3s.role === "none") return nothing;
  const stale = k3s.staleEtcd ? [staleEtcd(machine.name)] : [];
  return {
    faults: [...versionFaults(machine.name, k3s, plan), ...(plan.convert ? stale : [])],
    warnings: plan.convert ? [] : stale,
  };
}

/** @see https://github.com/k3s-io/k3s/issues/4046 */
function staleEtcd(name: string): string {
  return (
    `${name}: /var/lib/rancher/k3s/server/db/etcd lies beside the SQLite that k3s runs on, from an earlier attempt: ` +
    "at its next start k3s would take that etcd and leave SQLite out; move it away, for instance to /root/stale-etcd"
  );
}

/** Servers of two versions must not meet by accident: Triad upgrades nothing. */
function versionFaults(
  name: string,
  { version, datastore }: MachineFacts["k3s"],
  plan: ClusterPlan,
): string[] {
  const cure = plan.convert && datastore === "sqlite" ? cureOfConversion(version) : undefined;
  if (cure !== undefined) {
    return [
      `${name}: k3s ${version} there loses the data when it converts SQLite to etcd (k3s issue 12478); upgrade it to ${cure}, and say so in version`,
    ];
  }
  if (version === "" || version === plan.version) return [];
  return [
    `${name}: k3s there is ${version}, version says ${plan.version}; say ${version}, or bring the machine to ${plan.version}, as Triad upgrades nothing`,
  ];
}
