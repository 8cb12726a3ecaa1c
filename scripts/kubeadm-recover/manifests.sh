# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh and kubeadm-recover.sh, or read there
#
# A part of kubeadm-recover.sh: the static pods of the control plane. What kubelet does not find it does not start, so the
# manifests lie aside until the recovery is proven.

readonly KUBERNETES="$ROOT/etc/kubernetes"
readonly MANIFESTS="$KUBERNETES/manifests"
readonly KEPT_MANIFESTS="$RECOVERY/manifests"
# In the order in which they end.
readonly CONTROL_PLANE="kube-apiserver kube-controller-manager kube-scheduler etcd"

# Each is whole on the disk in its other place before it goes from here.
take_manifests() {
  local name
  install -d -m 0700 "$KEPT_MANIFESTS"
  for name in $CONTROL_PLANE; do
    [[ -f $MANIFESTS/$name.yaml ]] || continue
    cp -p "$MANIFESTS/$name.yaml" "$KEPT_MANIFESTS/.$name"
    sync "$KEPT_MANIFESTS/.$name"
    mv -f "$KEPT_MANIFESTS/.$name" "$KEPT_MANIFESTS/$name.yaml"
    sync "$KEPT_MANIFESTS"
    rm -f "$MANIFESTS/$name.yaml"
  done
  sync "$MANIFESTS"
  [[ -f $KEPT_MANIFESTS/etcd.yaml ]] ||
    fail "$KEPT_MANIFESTS/etcd.yaml is missing" "nobody knows how etcd is started here" \
      "put etcd's manifest there, then $AGAIN"
}

# kubelet ends the pods whose manifests are gone, so it must run for that, and then end itself: it may be about to start
# one again that had died.
stop_control_plane() {
  local name
  rm -f "$MANIFESTS/etcd.yaml"
  systemctl start kubelet
  for name in $CONTROL_PLANE; do
    wait_for 120 "$name to end" ended "$name" ||
      fail "$name still runs on this machine: $last_seen" "its data cannot be exchanged while it runs" \
        "see journalctl -u kubelet on this machine, then $AGAIN"
  done
  systemctl stop kubelet
  ended etcd ||
    fail "etcd runs on this machine although kubelet is stopped" "its data cannot be exchanged while it runs" \
      "see what runs it (ps -ef), end it, then $AGAIN"
}

ended() {
  local pids
  # The kernel knows a process by 15 characters.
  pids=$(pgrep -x "${1:0:15}") || return 0
  printf 'process %s' "${pids//$'\n'/ }"
  return 1
}

# put_manifest NAME <text: kubelet watches the folder, so the file is renamed into it
put_manifest() {
  cat >"$KUBERNETES/.$1.yaml.recovery"
  chmod 0600 "$KUBERNETES/.$1.yaml.recovery"
  sync "$KUBERNETES/.$1.yaml.recovery"
  mv -f "$KUBERNETES/.$1.yaml.recovery" "$MANIFESTS/$1.yaml"
}
