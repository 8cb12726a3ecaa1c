// What is known of the keys of k3s's configuration, which are its flags without dashes.
// @see https://docs.k3s.io/cli/server

/** Short forms and former names. */
const aliases: Readonly<Record<string, string>> = {
  c: "config",
  d: "data-dir",
  i: "node-ip",
  o: "write-kubeconfig",
  s: "server",
  t: "token",
  "kube-controller-arg": "kube-controller-manager-arg",
  "kube-cloud-controller-arg": "kube-cloud-controller-manager-arg",
};

/** The one name of a key, whether it is written `-d`, `--data-dir` or `data-dir`. */
export function keyName(text: string): string {
  const bare = text.replace(/^-+/, "");
  return aliases[bare] ?? bare;
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter((word) => word !== ""));
}

/** Flags without a value: what follows them on a command line is not theirs. */
export const booleans = words(`
  alsologtostderr cluster-init cluster-reset debug disable-agent disable-apiserver disable-cloud-controller
  disable-controller-manager disable-default-registry-endpoint disable-etcd disable-helm-controller
  disable-kube-proxy disable-network-policy disable-scheduler docker embedded-registry enable-pprof
  etcd-disable-snapshots etcd-expose-metrics etcd-s3 etcd-s3-insecure etcd-s3-skip-ssl-verify
  etcd-snapshot-compress flannel-external-ip flannel-ipv6-masq no-flannel prefer-bundled-bin
  protect-kernel-defaults rootless secrets-encryption selinux supervisor-metrics tls-san-security with-node-id`);

/** Keys that may be given several times. Of any other one the last value counts. */
export const lists = words(`
  airgap-extra-registry cluster-cidr cluster-dns disable etcd-arg kube-apiserver-arg
  kube-cloud-controller-manager-arg kube-controller-manager-arg kube-proxy-arg kube-scheduler-arg kubelet-arg
  node-external-dns node-external-ip node-internal-dns node-ip node-label node-taint service-cidr tls-san`);

/** Lists whose entries k3s splits at commas. */
export const commaLists = words(`
  cluster-cidr cluster-dns disable node-external-dns node-external-ip node-internal-dns node-ip service-cidr tls-san`);

/**
 * What is of one machine: its addresses, names, disks, its own kubelet, secrets that no config may hold. k3s does not
 * want it equal; it is compared only where the config says it for every server.
 */
export const nodeLocal = words(`
  advertise-address advertise-port airgap-extra-registry alsologtostderr bind-address container-runtime-endpoint
  debug default-runtime disable-default-registry-endpoint docker etcd-s3-access-key etcd-s3-secret-key
  etcd-s3-session-token flannel-cni-conf flannel-conf flannel-iface
  image-credential-provider-bin-dir image-credential-provider-config image-service-endpoint kube-proxy-arg
  kubelet-arg lb-server-port log node-external-dns node-external-ip node-internal-dns node-ip node-label node-name
  node-taint nonroot-devices pause-image prefer-bundled-bin private-registry protect-kernel-defaults resolv-conf
  selinux snapshotter v vmodule vpn-auth vpn-auth-file with-node-id write-kubeconfig`);

/** What makes a server one of its cluster. Triad writes it, or keeps what it finds. */
export const identity = words(`
  agent-token agent-token-file cluster-init cluster-secret server tls-san token token-file`);

/** With these k3s has its files, ports or parts in other places than those that Triad looks after. */
export const elsewhere = words(`
  apiserver-port config data-dir datastore-endpoint disable-agent disable-apiserver disable-etcd https-listen-port
  rootless supervisor-port`);

/** Keys that differ between servers only at the price of a join that k3s refuses. */
export const critical = words(`
  agent-token cluster-cidr cluster-dns cluster-domain disable-cloud-controller disable-helm-controller
  disable-kube-proxy disable-network-policy egress-selector-mode embedded-registry flannel-backend
  flannel-external-ip flannel-ipv6-masq secrets-encryption secrets-encryption-provider service-cidr`);

/** Whether k3s refuses a server that differs in this entry. Of what is disabled it compares the load balancer only. */
export function isCritical(key: string, value: string): boolean {
  return critical.has(key) || (key === "disable" && value === "servicelb");
}

/** What k3s does where a key is absent. */
export const defaults: Readonly<Record<string, readonly string[]>> = {
  "advertise-port": ["6443"],
  "cluster-cidr": ["10.42.0.0/16"],
  "cluster-dns": ["10.43.0.10"],
  "cluster-domain": ["cluster.local"],
  "data-dir": ["/var/lib/rancher/k3s"],
  "egress-selector-mode": ["agent"],
  "etcd-s3-endpoint": ["s3.amazonaws.com"],
  "etcd-s3-region": ["us-east-1"],
  "etcd-snapshot-dir": ["/var/lib/rancher/k3s/server/db/snapshots"],
  "etcd-snapshot-name": ["etcd-snapshot"],
  "etcd-snapshot-retention": ["5"],
  "etcd-snapshot-schedule-cron": ["0 */12 * * *"],
  "flannel-backend": ["vxlan"],
  "https-listen-port": ["6443"],
  "private-registry": ["/etc/rancher/k3s/registries.yaml"],
  "secrets-encryption-provider": ["aescbc"],
  "service-cidr": ["10.43.0.0/16"],
  "service-node-port-range": ["30000-32767"],
  "servicelb-namespace": ["kube-system"],
  "tls-san-security": ["true"],
  "write-kubeconfig": ["/etc/rancher/k3s/k3s.yaml"],
  "write-kubeconfig-mode": ["600"],
};

/** Keys whose value is never told. */
const secret = words(`
  agent-token cluster-secret datastore-endpoint etcd-s3-access-key etcd-s3-secret-key etcd-s3-session-token token
  vpn-auth`);

/** One entry for people: `disable=servicelb`, of a secret only its name. */
export function describeEntry(key: string, value: string): string {
  return secret.has(key) ? `${key} (not shown)` : `${key}=${value}`;
}

/** Variables of the environment that stand for keys under another name than `K3S_<KEY>`. */
const environmentNames: Readonly<Record<string, string>> = {
  K3S_URL: "server",
  K3S_KUBECONFIG_OUTPUT: "write-kubeconfig",
  K3S_KUBECONFIG_MODE: "write-kubeconfig-mode",
  K3S_KUBECONFIG_GROUP: "write-kubeconfig-group",
  K3S_CONFIG_FILE: "config",
};

/** Keys that k3s also takes from its environment. */
const fromEnvironment = words(`
  agent-token agent-token-file cluster-init cluster-reset data-dir datastore-cafile datastore-certfile
  datastore-endpoint datastore-keyfile debug lb-server-port node-name resolv-conf selinux system-default-registry
  token token-file vpn-auth`);

/** The key that a variable stands for, if it stands for one. */
export function environmentKey(variable: string): string | undefined {
  const key = variable.replace(/^K3S_/, "").toLowerCase().replaceAll("_", "-");
  return environmentNames[variable] ?? (fromEnvironment.has(key) ? key : undefined);
}

/** Whether it only means something on etcd: a server on SQLite gets it with its conversion. */
export function isOfEtcd(key: string): boolean {
  return key === "etcd-arg" || key.startsWith("etcd-");
}
