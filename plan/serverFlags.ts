import type { ApiServerConfig, EtcdConfig } from "../config/clusterConfig.ts";

/** Where an API server finds its audit policy, on every server. */
export const auditPolicyPath = "/etc/kubernetes/triad/audit-policy.yaml";

/** Flags without their leading dashes, the same on every server. */
export interface ServerFlags {
  readonly apiServer: Readonly<Record<string, string>>;
  readonly etcd: Readonly<Record<string, string>>;
  /** Whether the API servers have an audit policy, and so its file and the log's directory as volumes. */
  readonly audit: boolean;
}

/**
 * The flags that the config asks for. Audit logs are rotated, as an unbounded one fills the disk that etcd is on.
 * @see https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
 */
export function serverFlags(apiServer: ApiServerConfig, etcd: EtcdConfig): ServerFlags {
  const { oidc, auditPolicyFile } = apiServer;
  return {
    apiServer: {
      ...(auditPolicyFile === undefined
        ? {}
        : {
            "audit-policy-file": auditPolicyPath,
            "audit-log-path": "/var/log/kubernetes/audit.log",
            "audit-log-maxage": "30",
            "audit-log-maxbackup": "5",
            "audit-log-maxsize": "100",
          }),
      ...(oidc === undefined
        ? {}
        : {
            "oidc-issuer-url": oidc.issuerUrl,
            "oidc-client-id": oidc.clientId,
            ...(oidc.usernameClaim === undefined
              ? {}
              : { "oidc-username-claim": oidc.usernameClaim }),
            ...(oidc.groupsClaim === undefined ? {} : { "oidc-groups-claim": oidc.groupsClaim }),
          }),
      // What is said flag by flag has the last word.
      ...apiServer.extraArgs,
    },
    etcd: etcd.extraArgs,
    audit: auditPolicyFile !== undefined,
  };
}
