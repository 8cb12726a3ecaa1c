import type { Fault } from "../configError.ts";
import { pathText } from "../pathText.ts";
import type { ConfigDraft } from "../salvage.ts";
import { judgeFlagName } from "../values/names.ts";
import type { Owned } from "./rule.ts";

const API_SERVER: readonly Owned[] = [
  [/^(advertise-address|bind-address|secure-port)$/, "the server's own address, and port 6443"],
  [/^etcd-/, "the etcd that runs beside it"],
  [/^service-cluster-ip-range$/, "serviceCidr"],
  [/^audit-policy-file$/, "apiServer.auditPolicyFile"],
  [/^oidc-(issuer-url|client-id|username-claim|groups-claim)$/, "apiServer.oidc"],
  [/^(tls-(cert|private-key)-file|cert-dir|client-ca-file)$/, "the cluster's certificates"],
  [
    /^(kubelet-client|kubelet-certificate|proxy-client|requestheader)-/,
    "the cluster's certificates",
  ],
  [/^service-account-(key-file|signing-key-file|issuer)$/, "the cluster's own keys"],
  [/^enable-bootstrap-token-auth$/, "the distribution's joins"],
  [/^authentication-config$/, "apiServer.oidc"],
];

/** k3s answers nobody who does not log in, so that HAProxy has a credential there. */
const KUBEADM_API_SERVER: readonly Owned[] = [
  [/^anonymous-auth$/, "HAProxy's check of /readyz, which logs in as nobody"],
];

const K3S_API_SERVER: readonly Owned[] = [
  [/^encryption-provider-config$/, "secrets-encryption in k3s.config"],
];

const ETCD: readonly Owned[] = [
  [/^(name|data-dir|wal-dir|config-file)$/, "the distribution"],
  [/^(listen|advertise|initial)-/, "the server's address and its membership"],
  [/^(initial-cluster|force-new-cluster|discovery)/, "the server's membership"],
  [
    /^(peer-)?(cert-file|key-file|trusted-ca-file|client-cert-auth|auto-tls)$/,
    "the cluster's certificates",
  ],
];

/** Flags: written without dashes, and none that Triad or the distribution sets. */
export function flags(draft: ConfigDraft): Fault[] {
  const own = draft.distribution === "k3s" ? K3S_API_SERVER : KUBEADM_API_SERVER;
  const apiServer = [...API_SERVER, ...own];
  return [
    ...faultsIn("apiServer", Object.keys(draft.apiServer?.extraArgs ?? {}), apiServer),
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
    const complaint = judgeFlagName(name);
    return complaint === undefined ? [] : [{ path, ...complaint }];
  });
}
