# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh and kubeadm-recover.sh, or read there
#
# A part of kubeadm-recover.sh: etcd becomes one member. It runs alone meanwhile, with no API server that could serve.

readonly DATA="$ROOT/var/lib/etcd"
readonly IMAGE="$ROOT/run/triad/etcd-image"

# etcd keeps the cluster's id, and remembers those whom it removes: one that comes back is told so, and ends.
reset_own_data() {
  stop_control_plane
  [[ ! -e $ATTEMPTED ]] || replace_data "$DATA/member" "$(kept)/etcd/member"
  touch "$ATTEMPTED"
  sync "$ATTEMPTED" "$RECOVERY"
  info "etcd starts with --force-new-cluster, without an API server"
  start_etcd "$(sed 's|^\( *\)- etcd$|&\n\1- --force-new-cluster|' "$KEPT_MANIFESTS/etcd.yaml")"
  wait_for 240 "etcd to be a cluster of one" forced ||
    fail "etcd did not come up as a cluster of one: $last_seen" \
      "no API server is started on it; what this server held is in $(kept)" \
      "see /var/log/pods/kube-system_etcd-*, then $AGAIN; or recover from a snapshot (SNAPSHOT=<path>)"
  info "etcd starts as it always does"
  stop_control_plane
  start_etcd "$(<"$KEPT_MANIFESTS/etcd.yaml")"
  await_settled
}

# Beyond all revisions that anybody has seen, with the old ones gone: whoever watches reads anew instead of waiting in
# silence. Another cluster's token keeps a lost member that comes back from taking part.
restore_snapshot() {
  local name peer options=() program=''
  stop_control_plane
  unpack_snapshot '(^|/)etcd-snapshot\.db$'
  name=$(sed -n 's/^ *- --name=//p' "$KEPT_MANIFESTS/etcd.yaml")
  peer=$(sed -n 's/^ *- --initial-advertise-peer-urls=//p' "$KEPT_MANIFESTS/etcd.yaml")
  trap unmount_image EXIT
  find_etcdutl
  rm -f "$RECOVERY/bumped"
  if "$program" snapshot restore --help 2>&1 </dev/null | grep -q -- --bump-revision; then
    options=(--bump-revision 1000000000 --mark-compacted)
    touch "$RECOVERY/bumped"
  fi
  touch "$ATTEMPTED"
  sync "$ATTEMPTED" "$RECOVERY"
  rm -rf "$DATA/.triad-restored"
  info "restoring the snapshot as an etcd of one member"
  last_seen=$("$program" snapshot restore "$unpacked" --name "$name" --initial-advertise-peer-urls "$peer" \
    --initial-cluster "$name=$peer" --initial-cluster-token "recovered-$(date +%s)" \
    --data-dir "$DATA/.triad-restored" "${options[@]}" 2>&1 </dev/null) ||
    fail "etcdutl could not restore the snapshot: $(tail -n 2 <<<"$last_seen" | cut -c1-400)" \
      "the control plane stays stopped; what this server held is in $(kept)" \
      "name another snapshot, or go on with this server's own data (no SNAPSHOT), then $AGAIN"
  unmount_image
  sync -f "$DATA"
  rm -rf "$DATA/member"
  mv -T "$DATA/.triad-restored/member" "$DATA/member"
  rm -rf "$DATA/.triad-restored"
  sync "$DATA"
  start_etcd "$(<"$KEPT_MANIFESTS/etcd.yaml")"
  await_settled
}

# The one in etcd's own image is of the right version, and needs no container to run; some machines have their own.
find_etcdutl() {
  local image
  image=$(sed -n 's/^ *image: *//p' "$KEPT_MANIFESTS/etcd.yaml" | head -n 1)
  unmount_image
  mkdir -p "$IMAGE"
  if last_seen=$(ctr -n k8s.io images mount "$image" "$IMAGE" 2>&1 </dev/null) && [[ -x $IMAGE/usr/local/bin/etcdutl ]]; then
    program=$IMAGE/usr/local/bin/etcdutl
    return
  fi
  program=$(type -P etcdutl) ||
    fail "there is no etcdutl in $image (${last_seen:-not at /usr/local/bin}), and none on this machine" \
      "only it can restore a snapshot" "install etcdutl of etcd's version on this machine, then $AGAIN"
}

unmount_image() {
  [[ -d $IMAGE ]] || return 0
  ctr -n k8s.io images unmount --rm "$IMAGE" >/dev/null 2>&1 </dev/null || true
  rmdir "$IMAGE" 2>/dev/null || true
}

# start_etcd MANIFEST
start_etcd() {
  put_manifest etcd <<<"$1"
  systemctl start kubelet
}

await_settled() {
  wait_for 240 "etcd to run alone" settled ||
    fail "etcd does not run as the only member: $last_seen" "no API server is started on it; what this server held is in $(kept)" \
      "see /var/log/pods/kube-system_etcd-*, then $AGAIN"
}

forced() {
  runs_forced || { printf 'etcd does not run with --force-new-cluster yet'; return 1; }
  one_member
}

settled() {
  if runs_forced; then
    printf 'etcd still runs with --force-new-cluster'
    return 1
  fi
  one_member
}

runs_forced() { pgrep -a -x etcd 2>/dev/null | grep -q -- --force-new-cluster; }

one_member() {
  local members
  members=$(etcd_call /v3/cluster/member/list '{"linearizable":true}') || return 1
  [[ $(grep -o '"ID":' <<<"$members" | wc -l) == 1 && $members != *'"isLearner":true'* ]] && return 0
  printf 'its members are %s' "$members"
  return 1
}
