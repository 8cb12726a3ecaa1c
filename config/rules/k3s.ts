import { closestName } from "../closestName.ts";
import type { Fault } from "../configError.ts";
import { pathText } from "../pathText.ts";
import type { ConfigDraft } from "../salvage.ts";
import { sharedFlags } from "../values/k3sFlags.ts";
import { judgeFlagName } from "../values/names.ts";
import type { Owned } from "./rule.ts";

/** Differs from machine to machine, so it can't stand among what all servers share. */
const NODE_LOCAL =
  /^(node-(name|ip|external-ip|internal-dns|external-dns|label|taint|id)|with-node-id|bind-address|advertise-(address|port)|flannel-iface)$/;
/** State and backups show the config in the clear. */
const SECRET = /^(vpn-auth|etcd-s3-(access-key|secret-key|session-token))$/;

/** @see https://docs.k3s.io/cli/server */
const OWNED: readonly Owned[] = [
  [/^(server|cluster-init|cluster-reset.*)$/, "the list of servers"],
  [/^((agent-)?token(-file)?|cluster-secret)$/, "the cluster, which has its token"],
  [/^tls-san$/, "endpoint"],
  [/^(etcd-snapshot-.*|etcd-disable-snapshots)$/, "k3s.snapshots"],
  [/^cluster-cidr$/, "podCidr"],
  [/^service-cidr$/, "serviceCidr"],
  [/^datastore-/, "the datastore, which is SQLite and then etcd"],
  [/^kube-apiserver-arg$/, "apiServer.extraArgs"],
  [/^etcd-arg$/, "etcd.extraArgs"],
  [/^(https-listen|supervisor|apiserver)-port$/, "port 6443, by which servers know each other"],
  [/^(data-dir|config|write-kubeconfig|rootless)$/, "the places where Triad looks for k3s's files"],
  [/^disable-(agent|apiserver|etcd)$/, "the servers, each of which runs all of them"],
];

/** Keys of k3s's config.yaml: none of one machine alone, no secret, and none that Triad sets. */
export function k3s({ k3s: given }: ConfigDraft): Fault[] {
  return Object.keys(given?.config ?? {}).flatMap((key) => {
    const complaint = judge(key);
    return complaint === undefined
      ? []
      : [{ path: pathText(["k3s", "config", key]), ...complaint }];
  });
}

function judge(key: string): Omit<Fault, "path"> | undefined {
  const bare = key.replace(/^-+/, "").replace(/\+$/, "");
  if (NODE_LOCAL.test(bare)) {
    return {
      problem: `"${bare}" is one machine's own, and this holds for every server`,
      cure: "keep it in /etc/rancher/k3s/config.yaml of that machine, which Triad leaves alone",
    };
  }
  if (SECRET.test(bare)) {
    return {
      problem: `"${bare}" is a secret, which would be stored in the clear`,
      cure: bare.startsWith("etcd-s3")
        ? "give etcd-s3-config-secret, the name of a Secret in kube-system"
        : "keep it in /etc/rancher/k3s/config.yaml of each machine, which Triad leaves alone",
    };
  }
  const owner = OWNED.find(([pattern]) => pattern.test(bare));
  if (owner === undefined) return judgeFlagName(key) ?? judgeSlip(key);
  const [, decidedBy] = owner;
  const isKey = /^\w+(\.\w+)*$/.test(decidedBy);
  return {
    problem: `"${bare}" is not yours to set: it follows from ${decidedBy}`,
    cure: isKey ? `give ${decidedBy} instead` : "leave it out",
  };
}

/** k3s skips a key that it does not know, with a line in its log that nobody reads. */
function judgeSlip(key: string): Omit<Fault, "path"> | undefined {
  if (sharedFlags.includes(key) || key.length < 4) return undefined;
  const guess = closestName(key, sharedFlags, 2);
  if (guess === undefined) return undefined;
  return { problem: "is not a flag of k3s", cure: `did you mean ${guess}?` };
}
