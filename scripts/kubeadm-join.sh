# shellcheck shell=bash
# shellcheck disable=SC2154 # the header and lib.sh set what is read here
#
# Makes this machine a server of a living cluster.
#   check  whether it became one by this script: then it may leave again
# Variables: JOIN_CONFIGURATION (YAML, holds secrets), VERSION.

readonly WORK=/run/triad/join
readonly JOINED=/var/lib/triad/joined

ensure() {
  if [[ -f /etc/kubernetes/admin.conf && -d /var/lib/etcd/member ]]; then
    info "kubeadm has already joined this machine"
    result '{"changed":false}'
    return
  fi
  forget_half_join
  umask 077
  mkdir -p "$WORK"
  trap 'rm -rf "$WORK"' EXIT
  printf '%s\n' "$JOIN_CONFIGURATION" >"$WORK/config.yaml"
  # Before the join: a run that is cut off after it must not take this server for one that was there before Triad.
  install_file "$JOINED" 0600 <<<"kubeadm $VERSION"
  info "joining as a server, kubeadm $VERSION"
  if ! told kubeadm join --config "$WORK/config.yaml"; then
    fail "kubeadm join failed, its own words are above" \
      "the machine is not a server yet; the others run on" \
      "mend what it names and run pulumi up again: a half-done join is cleared first"
  fi
  result '{"changed":true}'
}

check() {
  local joined=false
  [[ ! -f $JOINED ]] || joined=true
  result "{\"joined\":$joined}"
}

# A join that was cut off leaves files over which the next one stumbles. No member is in the list with them:
# whoever calls this has removed a learner of this name.
forget_half_join() {
  [[ -e /etc/kubernetes/kubelet.conf || -e /etc/kubernetes/manifests/etcd.yaml || -d /var/lib/etcd/member ||
    -e /etc/kubernetes/pki/ca.crt || -e /etc/kubernetes/bootstrap-kubelet.conf ]] || return 0
  local kept
  kept=/var/lib/triad/half-join/$(date +%Y%m%dT%H%M%S)
  info "clearing what a join that did not finish left behind (etcd's directory is kept in $kept)"
  install -d -m 0700 "$kept"
  if [[ -d /var/lib/etcd/member ]]; then cp -a /var/lib/etcd/member "$kept/"; fi
  told kubeadm reset --force --skip-phases remove-etcd-member
}
