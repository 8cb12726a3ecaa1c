# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Makes this machine a server of a living cluster, also one that has left before or was cut off while it left.
#   check  whether it became one by this script: then it may leave again
#   clear  takes a worker's files away, of which kubeadm makes no server; its pods have gone elsewhere
# Variables: JOIN_CONFIGURATION (YAML, holds secrets), VERSION.
#
# part: leave/mounts.sh
# part: leave/network.sh
# part: kubeadm/reset.sh
# part: kubeadm/half-join.sh

EXTRA_VERBS=clear
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

clear() {
  ! is_joined || fail "this machine is a server" "only a worker is cleared" "let the server leave first"
  forget_half_join
}
