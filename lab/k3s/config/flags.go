package config

import "strings"

// kind says how often a flag may be given, and with what.
type kind byte

const (
	text    kind = '='
	list    kind = '*'
	boolean kind = '?'
)

type flag struct {
	name     string
	kind     kind
	env      string
	fallback string
}

// Every flag of `k3s agent` and `k3s server`, a line each: name[,alias] kind [K3S_ variable] [default].
// Source: https://docs.k3s.io/cli/agent and https://docs.k3s.io/cli/server
const agentTable = `
config,c = CONFIG_FILE
debug ? DEBUG
v =
vmodule =
log,l =
alsologtostderr ?
token,t = TOKEN
token-file = TOKEN_FILE
server,s = URL
data-dir,d = DATA_DIR /var/lib/rancher/k3s
node-name = NODE_NAME
with-node-id ?
node-label *
node-taint *
image-credential-provider-bin-dir =
image-credential-provider-config =
selinux ? SELINUX
lb-server-port = LB_SERVER_PORT 6444
protect-kernel-defaults ?
container-runtime-endpoint =
default-runtime =
image-service-endpoint =
disable-default-registry-endpoint ?
nonroot-devices ?
pause-image = - docker.io/rancher/mirrored-pause:3.6
snapshotter = - overlayfs
private-registry = - /etc/rancher/k3s/registries.yaml
system-default-registry = SYSTEM_DEFAULT_REGISTRY
airgap-extra-registry *
node-ip,i *
node-external-ip *
node-internal-dns *
node-external-dns *
resolv-conf = RESOLV_CONF
flannel-iface =
flannel-conf =
flannel-cni-conf =
kubelet-arg *
kube-proxy-arg *
enable-pprof ?
rootless ?
prefer-bundled-bin ?
disable-apiserver-lb ?
docker ?
vpn-auth = VPN_AUTH
vpn-auth-file = VPN_AUTH_FILE
`

const serverTable = agentTable + `
bind-address = - 0.0.0.0
https-listen-port = - 6443
supervisor-port =
advertise-address =
advertise-port =
tls-san *
tls-san-security ? - true
cluster-cidr * - 10.42.0.0/16
service-cidr * - 10.43.0.0/16
service-node-port-range = - 30000-32767
cluster-dns * - 10.43.0.10
cluster-domain = - cluster.local
flannel-backend = - vxlan
flannel-ipv6-masq ?
flannel-external-ip ?
egress-selector-mode = - agent
servicelb-namespace = - kube-system
write-kubeconfig,o = KUBECONFIG_OUTPUT /etc/rancher/k3s/k3s.yaml
write-kubeconfig-mode = KUBECONFIG_MODE 600
write-kubeconfig-group = KUBECONFIG_GROUP
helm-job-image =
agent-token = AGENT_TOKEN
agent-token-file = AGENT_TOKEN_FILE
cluster-init ? CLUSTER_INIT
cluster-reset ? CLUSTER_RESET
cluster-reset-restore-path =
kube-apiserver-arg *
etcd-arg *
kine-arg *
kube-controller-manager-arg *
kube-scheduler-arg *
kube-cloud-controller-manager-arg *
datastore-endpoint = DATASTORE_ENDPOINT
datastore-cafile = DATASTORE_CAFILE
datastore-certfile = DATASTORE_CERTFILE
datastore-keyfile = DATASTORE_KEYFILE
kine-tls ?
etcd-expose-metrics ?
etcd-disable-snapshots ?
etcd-snapshot-name = - etcd-snapshot
etcd-snapshot-schedule-cron = - 0 */12 * * *
etcd-snapshot-retention = - 5
etcd-snapshot-dir =
etcd-snapshot-compress ?
etcd-snapshot-reconcile-interval =
etcd-s3 ?
etcd-s3-endpoint =
etcd-s3-endpoint-ca =
etcd-s3-skip-ssl-verify ?
etcd-s3-access-key =
etcd-s3-secret-key =
etcd-s3-session-token =
etcd-s3-bucket =
etcd-s3-bucket-lookup-type =
etcd-s3-region =
etcd-s3-folder =
etcd-s3-proxy =
etcd-s3-config-secret =
etcd-s3-insecure ?
etcd-s3-timeout =
etcd-s3-retention =
default-local-storage-path =
disable *
disable-scheduler ?
disable-cloud-controller ?
disable-kube-proxy ?
disable-network-policy ?
disable-helm-controller ?
disable-apiserver ?
disable-controller-manager ?
disable-etcd ?
disable-agent ?
embedded-registry ?
supervisor-metrics ?
secrets-encryption ?
secrets-encryption-provider = - aescbc
`

// What would change how a machine works, and the double does not do.
var notImitated = strings.Fields(`docker rootless vpn-auth vpn-auth-file container-runtime-endpoint etcd-s3 with-node-id
	disable-apiserver disable-controller-manager disable-scheduler disable-etcd disable-agent embedded-registry
	flannel-conf flannel-cni-conf system-default-registry supervisor-port advertise-port write-kubeconfig-group`)

var tables = map[string]map[string]flag{
	"agent":         read(agentTable),
	"server":        read(serverTable),
	"etcd-snapshot": read(serverTable),
}

func read(table string) map[string]flag {
	flags := map[string]flag{}
	for _, line := range strings.Split(strings.TrimSpace(table), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		names := strings.Split(fields[0], ",")
		entry := flag{name: names[0], kind: kind(fields[1][0])}
		if len(fields) > 2 && fields[2] != "-" {
			entry.env = "K3S_" + fields[2]
		}
		if len(fields) > 3 {
			entry.fallback = strings.Join(fields[3:], " ")
		}
		for _, name := range names {
			flags[name] = entry
		}
	}
	return flags
}
