import type {
  ApiServerConfig,
  ClusterConfig,
  DistributionName,
  FlagValue,
} from "../config/clusterConfig.ts";
import { k3sConfig } from "./k3sConfig.ts";

/** Where an API server finds its audit policy, on every server. */
export const auditPolicyPath = "/etc/kubernetes/triad/audit-policy.yaml";
/** The same on k3s, whose API server is part of it and reads any file of the machine. */
export const k3sAuditPolicyPath = "/var/lib/triad/audit-policy.yaml";

/** Flags without their leading dashes, the same on every server. */
export interface ServerFlags {
  /** Keys of k3s's config.yaml; none with kubeadm. */
  readonly server: Readonly<Record<string, FlagValue>>;
  readonly apiServer: Readonly<Record<string, string>>;
  readonly etcd: Readonly<Record<string, string>>;
  /** Whether the API servers have an audit policy, and so its file and the log's directory as volumes. */
  readonly audit: boolean;
  /**
   * Flags of the API server that new servers have from the start, and for whose sake alone none that was found is refused
   * or restarted. Absent where there are none.
   */
  readonly later?: readonly string[];
}

/**
 * For how long an API server that is told to end goes on serving while its /readyz says no, where nobody can be told to
 * send it no more clients: more than twice what the balancer's check takes to see it, and half of what kubelet waits.
 * @see https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
 */
const shutdownDelay = { "shutdown-delay-duration": "15s" };

/** The flags that the config asks for. */
export function serverFlags(config: ClusterConfig): ServerFlags {
  const { apiServer, distribution, endpoint, etcd } = config;
  const own = endpoint.external === true ? shutdownDelay : {};
  const later = Object.keys(own).filter((flag) => !(flag in apiServer.extraArgs));
  return {
    server: k3sConfig(config),
    apiServer: {
      ...own,
      ...auditFlags(apiServer, distribution),
      ...oidcFlags(apiServer),
      // What is said flag by flag has the last word.
      ...apiServer.extraArgs,
    },
    etcd: etcd.extraArgs,
    audit: apiServer.auditPolicyFile !== undefined,
    ...(later.length === 0 ? {} : { later }),
  };
}

/**
 * Audit logs are rotated, as an unbounded one fills the disk that etcd is on.
 * @see https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
 */
function auditFlags(
  { auditPolicyFile }: ApiServerConfig,
  distribution: DistributionName,
): Record<string, string> {
  if (auditPolicyFile === undefined) return {};
  return {
    "audit-policy-file": distribution === "k3s" ? k3sAuditPolicyPath : auditPolicyPath,
    "audit-log-path": "/var/log/kubernetes/audit.log",
    "audit-log-maxage": "30",
    "audit-log-maxbackup": "5",
    "audit-log-maxsize": "100",
  };
}

function oidcFlags({ oidc }: ApiServerConfig): Record<string, string> {
  if (oidc === undefined) return {};
  const { issuerUrl, clientId, usernameClaim, groupsClaim } = oidc;
  return {
    "oidc-issuer-url": issuerUrl,
    "oidc-client-id": clientId,
    ...(usernameClaim === undefined ? {} : { "oidc-username-claim": usernameClaim }),
    ...(groupsClaim === undefined ? {} : { "oidc-groups-claim": groupsClaim }),
  };
}
