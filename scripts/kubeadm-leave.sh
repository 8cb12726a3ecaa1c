# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Stops being a server.
#   retire  the API ends; etcd goes on, so that its member can still be removed
#   ensure  etcd ends, a cold copy of what it held is kept, and what kubeadm wrote is cleaned

EXTRA_VERBS=retire
readonly MANIFESTS=/etc/kubernetes/manifests

retire() {
  if [[ -f $MANIFESTS/kube-apiserver.yaml ]]; then
    info "stopping this server's API"
    set_aside kube-apiserver
    changed=true
  fi
}

ensure() {
  if [[ ! -f /etc/kubernetes/kubelet.conf ]]; then
    result '{"changed":false}'
    return
  fi
  if [[ -f $MANIFESTS/etcd.yaml ]]; then set_aside etcd; fi
  keep_cold_copy
  info "kubeadm cleans this machine"
  told kubeadm reset --force --skip-phases remove-etcd-member
  rm -rf /etc/cni/net.d
  rm -f /var/lib/triad/joined
  result '{"changed":true}'
}

# kubelet ends a static pod whose manifest is gone.
set_aside() {
  mv -f "$MANIFESTS/$1.yaml" "/etc/kubernetes/.$1.yaml.triad"
  wait_for 90 "$1 to end" ended "$1" || warn "$1 still runs; kubeadm reset ends it"
}

ended() {
  ! pgrep -x "$1"
}

keep_cold_copy() {
  local kept
  kept=/var/lib/triad/left/$(date +%Y%m%dT%H%M%S)
  install -d -m 0700 "$kept"
  cp -a /etc/kubernetes "$kept/"
  if [[ -d /var/lib/etcd/member ]]; then cp -a /var/lib/etcd/member "$kept/"; fi
  info "a copy of what this server held is in $kept"
}
