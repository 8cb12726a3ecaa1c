import type { DistributionName } from "./clusterConfig.ts";
import type { ConfigDraft } from "./salvage.ts";

/** Networks that a distribution has when nobody says otherwise. */
export interface Networks {
  readonly podCidr: string;
  readonly serviceCidr: string;
}

/** @see https://docs.k3s.io/cli/server for k3s's; kubeadm has none for pods, this is flannel's. */
export const networks: Readonly<Record<DistributionName, Networks>> = {
  kubeadm: { podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/12" },
  k3s: { podCidr: "10.42.0.0/16", serviceCidr: "10.43.0.0/16" },
};

/** The API server's own, since nothing else has it there. */
const NAMED_BALANCERS_PORT = 6443;
/** Servers have 6443 for themselves. */
const OWN_BALANCERS_PORT = 8443;

/** The pods' and the Services' network, given or by default; absent where neither is known. */
export function networksOf(draft: ConfigDraft): Partial<Networks> {
  const { podCidr, serviceCidr, distribution } = draft;
  const byDefault = distribution === undefined ? {} : networks[distribution];
  return {
    ...byDefault,
    ...(podCidr === undefined ? {} : { podCidr }),
    ...(serviceCidr === undefined ? {} : { serviceCidr }),
  };
}

/** Whether somebody else balances. */
export function isExternal({ endpoint }: ConfigDraft): boolean {
  return endpoint?.external === true;
}

/** Whether nobody else balances and no load balancers are named, so that the servers have HAProxy and keepalived. */
export function areBalancersOwn(draft: ConfigDraft): boolean {
  return draft.loadBalancers?.length === 0 && !isExternal(draft);
}

/** Names of the machines with HAProxy and keepalived. */
export function balancersOf(draft: ConfigDraft): ConfigDraft["loadBalancers"] {
  return areBalancersOwn(draft) ? draft.servers : draft.loadBalancers;
}

/** The endpoint's port, given or by default. */
export function endpointPortOf(draft: ConfigDraft): number {
  return (
    draft.endpoint?.port ?? (areBalancersOwn(draft) ? OWN_BALANCERS_PORT : NAMED_BALANCERS_PORT)
  );
}
