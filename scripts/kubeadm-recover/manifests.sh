# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh and kubeadm-recover.sh, or read there
#
# A part of kubeadm-recover.sh: the static pods of the control plane. What kubelet does not find it does not start, so the
# manifests lie aside until the recovery is proven.

readonly MANIFESTS="$ROOT/etc/kubernetes/manifests"
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

# Without kubelet, which starts again what ends: until it has reached an API server since its own start it ends no pod whose
# manifest is gone or another one ("skipping delete because sources aren't ready yet").
# https://github.com/kubernetes/kubernetes/blob/v1.34.2/pkg/kubelet/kubelet.go (deletePod)
stop_control_plane() {
  local name
  rm -f "$MANIFESTS/etcd.yaml"
  systemctl stop kubelet
  for name in $CONTROL_PLANE; do
    ended "$name" >/dev/null || end_process "$name"
  done
}

# put_manifest NAME <text: kubelet watches the folder, so the file is renamed into it
put_manifest() {
  cat >"$ETC/.$1.yaml.recovery"
  chmod 0600 "$ETC/.$1.yaml.recovery"
  sync "$ETC/.$1.yaml.recovery"
  mv -f "$ETC/.$1.yaml.recovery" "$MANIFESTS/$1.yaml"
}
