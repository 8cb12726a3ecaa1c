# shellcheck shell=bash
# shellcheck disable=SC2154 # the header and lib.sh set what is read here
#
# Creates a new cluster with this machine as its initial server.
# Variables: INIT_CONFIGURATION (YAML: InitConfiguration, ClusterConfiguration, KubeletConfiguration), VERSION.

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
  printf '%s\n' "$INIT_CONFIGURATION" >/run/triad/init/config.yaml
  info "creating a new cluster, kubeadm $VERSION"
  told kubeadm init --config /run/triad/init/config.yaml --skip-token-print
  result '{"changed":true}'
}
