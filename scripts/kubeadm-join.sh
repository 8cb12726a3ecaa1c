# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Makes this machine a server of a living cluster, also one that has left before or was cut off while it left.
#   check  whether it became one by this script: then it may leave again
# Variables: JOIN_CONFIGURATION (YAML, holds secrets), VERSION.
#
# part: leave/mounts.sh
# part: leave/network.sh
# part: kubeadm/reset.sh

readonly WORK="$ROOT/run/triad/join"
readonly JOINED="$ROOT/var/lib/triad/joined"
readonly LEAVING="$ROOT/var/lib/triad/leaving"
readonly ETC="$ROOT/etc/kubernetes"

ensure() {
  if is_joined; then
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

# An etcd whose member was removed does not run.
is_joined() {
  [[ -f $ETC/admin.conf && -f $ETC/manifests/kube-apiserver.yaml && -d $ROOT/var/lib/etcd/member && ! -f $LEAVING ]] &&
    wait_for 10 "etcd on this machine" curl --silent --show-error --fail --max-time 2 http://127.0.0.1:2381/health
}

# A join or a leave that was cut off leaves files over which the next join stumbles. No member is in the list with them:
# whoever calls this has removed it.
forget_half_join() {
  [[ -e $ETC/kubelet.conf || -e $ETC/manifests/etcd.yaml || -d $ROOT/var/lib/etcd/member ||
    -e $ETC/pki/ca.crt || -e $ETC/bootstrap-kubelet.conf || -f $LEAVING ]] || return 0
  local kept
  kept="$ROOT/var/lib/triad/half-join/$(date +%Y%m%dT%H%M%S)"
  info "clearing what a join or a leave that did not finish left behind (what etcd held is kept in ${kept#"$ROOT"})"
  install -d -m 0700 "$kept"
  rm -f "$ETC"/.*.yaml.triad "$ETC"/{admin,super-admin}.conf
  systemctl stop kubelet 2>/dev/null || warn "kubelet does not stop"
  reset_machine
  # kubeadm reset leaves it, and kubeadm join refuses a folder that is not empty.
  if [[ -d $ROOT/var/lib/etcd/member ]]; then mv "$ROOT/var/lib/etcd/member" "$kept/"; fi
  rm -f "$LEAVING"
}
