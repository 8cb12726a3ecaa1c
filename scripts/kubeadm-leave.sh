# shellcheck shell=bash
# shellcheck disable=SC2154 # the header and lib.sh set what is read here
#
# Stops being a server: the API ends first, then the etcd member is removed, then what kubeadm wrote is cleaned.

ensure() {
  if [[ ! -f /etc/kubernetes/manifests/kube-apiserver.yaml && ! -f /etc/kubernetes/kubelet.conf ]]; then
    result '{"changed":false}'
    return
  fi
  keep_etcd
  info "stopping this server's API"
  rm -f /etc/kubernetes/manifests/kube-apiserver.yaml
  wait_for 60 "the API server to end" api_ended || warn "the API server still runs; kubeadm reset ends it"
  info "kubeadm reset: the etcd member leaves, then the machine is cleaned"
  told kubeadm reset --force
  rm -rf /etc/cni/net.d
  result '{"changed":true}'
}

# A cold copy is of no use beside living members, but the last word on what this one held.
keep_etcd() {
  local kept
  kept=/var/lib/triad/left/$(date +%Y%m%dT%H%M%S)
  [[ -d /var/lib/etcd/member ]] || return 0
  install -d -m 0700 "$kept"
  cp -a /etc/kubernetes "$kept/"
  cp -a /var/lib/etcd/member "$kept/"
  info "a copy of what this server held is in $kept"
}

api_ended() {
  ! pgrep -x kube-apiserver
}
