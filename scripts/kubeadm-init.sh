# shellcheck shell=bash
# shellcheck disable=SC2154 # the header and lib.sh set what is read here
#
# Creates a new cluster with this machine as its initial server.
# Variables: INIT_CONFIGURATION (YAML: InitConfiguration, ClusterConfiguration), VERSION.

ensure() {
  if [[ -f /etc/kubernetes/admin.conf && -d /var/lib/etcd/member ]]; then
    result '{"changed":false}'
    return
  fi
  if [[ -d /var/lib/etcd/member ]]; then
    fail "/var/lib/etcd holds a member's data but /etc/kubernetes/admin.conf is missing" \
      "a cluster may have lived here, and a new one would overwrite it" \
      "if the data is worthless move /var/lib/etcd away, otherwise restore /etc/kubernetes from its backup"
  fi
  umask 077
  mkdir -p /run/triad/init
  trap 'rm -rf /run/triad/init' EXIT
  {
    printf '%s\n' "$INIT_CONFIGURATION"
    machine_settings
  } >/run/triad/init/config.yaml
  info "creating a new cluster, kubeadm $VERSION"
  told kubeadm init --config /run/triad/init/config.yaml --skip-token-print
  result '{"changed":true}'
}

# What kubelet and kube-proxy must know of the machine, and would fail without: it becomes the cluster's.
machine_settings() {
  # kubeadm takes systemd for granted, which is wrong beside a containerd without cgroup v2.
  if [[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]]; then
    printf -- '---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
    printf 'cgroupDriver: cgroupfs\nfailCgroupV1: false\n'
  fi
  # In a container the limit belongs to its host, and kube-proxy ends when it cannot write it.
  if [[ ! -w /proc/sys/net/netfilter/nf_conntrack_max ]]; then
    printf -- '---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n'
    printf 'conntrack:\n  maxPerCore: 0\n  min: 0\n'
  fi
}
