import type { Fault } from "../configError.ts";
import { pathText } from "../pathText.ts";
import type { ConfigDraft } from "../salvage.ts";

/** A flag that isn't the user's to set, and what decides it instead. */
type Owned = readonly [pattern: RegExp, decidedBy: string];

const API_SERVER: readonly Owned[] = [
  [/^(advertise-address|bind-address|secure-port)$/, "the server's own address, and port 6443"],
  [/^etcd-/, "the etcd that runs beside it"],
  [/^service-cluster-ip-range$/, "serviceCidr"],
  [/^audit-policy-file$/, "apiServer.auditPolicyFile"],
  [/^oidc-(issuer-url|client-id|username-claim|groups-claim)$/, "apiServer.oidc"],
  [/^(tls-(cert|private-key)-file|cert-dir|client-ca-file)$/, "kubeadm's certificates"],
  [/^(kubelet-client|kubelet-certificate|proxy-client|requestheader)-/, "kubeadm's certificates"],
  [/^service-account-(key-file|signing-key-file|issuer)$/, "the cluster's own keys"],
  [/^enable-bootstrap-token-auth$/, "kubeadm's joins"],
  [/^anonymous-auth$/, "HAProxy's check of /readyz, which logs in as nobody"],
  [/^authentication-config$/, "apiServer.oidc"],
];

const ETCD: readonly Owned[] = [
  [/^(name|data-dir|wal-dir|config-file)$/, "kubeadm"],
  [/^(listen|advertise|initial)-/, "the server's address and its membership"],
  [/^(initial-cluster|force-new-cluster|discovery)/, "the server's membership"],
  [
    /^(peer-)?(cert-file|key-file|trusted-ca-file|client-cert-auth|auto-tls)$/,
    "kubeadm's certificates",
  ],
];

/** Flags: written without dashes, and none that Triad or kubeadm sets. */
export function flags(draft: ConfigDraft): Fault[] {
  return [
    ...faultsIn("apiServer", Object.keys(draft.apiServer?.extraArgs ?? {}), API_SERVER),
    ...faultsIn("etcd", Object.keys(draft.etcd?.extraArgs ?? {}), ETCD),
  ];
}

function faultsIn(part: string, names: readonly string[], owned: readonly Owned[]): Fault[] {
  return names.flatMap((name) => {
    const path = pathText([part, "extraArgs", name]);
    const bare = name.replace(/^-+/, "").replace(/=.*$/s, "");
    const owner = owned.find(([pattern]) => pattern.test(bare));
    if (owner !== undefined) {
      const problem = `"${bare}" is not yours to set: it follows from ${owner[1]}`;
      return [{ path, problem, cure: "leave it out" }];
    }
    if (/^[a-z][a-z0-9-]*$/.test(name)) return [];
    const cure = /^[a-z][a-z0-9-]*$/.test(bare)
      ? `did you mean ${bare}?`
      : "give the flag's name in small letters, without dashes in front";
    return [{ path, problem: `"${name}" is not a flag's name`, cure }];
  });
}
