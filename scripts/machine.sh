# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, or read there or in the parts
#
# Makes a Debian or Ubuntu machine ready to become a server or a worker, up to but without kubeadm.
# A machine that already belongs to a cluster is left as it is: nothing changed, nothing restarted.
#
# Verbs
#   ensure   swap off, modules, kernel settings, containerd, CNI plugins, kubeadm, kubelet and kubectl,
#            registry mirror, images fetched beforehand
#   check    what is there, without changing it
#   remove   makes the machine as it was found; one that is still a Node of a cluster is left alone, and so is one that
#            was a Node when Triad came. A join that ended before the cluster knew of the machine is cleared
#
# Variables
#   VERSION          of Kubernetes, such as v1.34.2
#   ARTIFACTS_URL    holds release/VERSION/bin/linux/ARCH/{kubeadm,kubelet,kubectl}{,.sha256}
#   ROLE             server or worker
#   SHA256_KUBEADM, SHA256_KUBELET, SHA256_KUBECTL   used instead of the .sha256 beside the file; optional
#   IMAGE_MIRROR     URL of a registry asked before the public ones; optional
#   EXTRA_IMAGES     full names of further images to fetch beforehand, by spaces; optional
#   AUDIT_POLICY     text of the API server's audit policy, which must lie there before a join; optional
#   ON_DESTROY       forget: remove does nothing; optional
#   CGROUP_DRIVER    systemd or cgroupfs; by default systemd on cgroup v2 and cgroupfs on v1
#
# part: machine/fetch.sh
# part: machine/kernel.sh
# part: machine/binaries.sh
# part: machine/containerd.sh
# part: machine/images.sh
# part: found/files.sh
# part: found/packages.sh
# part: leave/mounts.sh
# part: kubeadm/reset.sh
# part: kubeadm/half-join.sh

CONTAINERD_CONFIG="$ROOT/etc/containerd/config.toml"
CERTS_D="$ROOT/etc/containerd/certs.d"
CNI_BIN="$ROOT/opt/cni/bin"
BIN="$ROOT/usr/local/bin"
UNIT="$ROOT/etc/systemd/system/kubelet.service"
AUDIT_POLICY_FILE="$ROOT/etc/kubernetes/triad/audit-policy.yaml"
ETC="$ROOT/etc/kubernetes"
JOINED="$ROOT/var/lib/triad/joined"
LEAVING="$ROOT/var/lib/triad/leaving"
CONTAINERD_PENDING="$ROOT/run/triad/containerd-restart"
# What kubeadm, kubelet, containerd and network plugins make, without anybody's data in it.
FOLDERS="/etc/kubernetes /etc/cni /opt/cni /usr/libexec/kubernetes /var/lib/kubelet /var/lib/cni /var/log/pods
  /var/log/containers /etc/containerd /opt/containerd /var/lib/containerd"

ensure() {
  require VERSION ARTIFACTS_URL ROLE
  hold_lock machine 600
  if ! is_member; then
    begin_memory
    # shellcheck disable=SC2086 # paths without blanks
    keep_found_folders $FOLDERS /var/lib/etcd
    keep_service kubelet containerd
    ensure_swap_off
    ensure_modules
    ensure_kernel_settings
    ensure_packages conntrack socat iptables ethtool iproute2 curl ca-certificates
    [[ -n $(command -v containerd) ]] || ensure_packages containerd
    ensure_cni_plugins
    ensure_binaries
    ensure_kubelet_unit
    ensure_mirror
    ensure_containerd
    ensure_images
  fi
  ensure_audit_policy
  report
}

check() { report; }

remove() {
  local folder
  hold_lock machine 600
  if [[ ${ON_DESTROY:-} != forget ]] && is_half_joined; then
    forget_half_join
    rm -f "$JOINED"
    rmdir "$ROOT/var/lib/triad/half-join"/* "$ROOT/var/lib/triad/half-join" 2>/dev/null || true
  fi
  if is_member || [[ ${ON_DESTROY:-} == forget || -f $LEAVING ]]; then
    result '{"changed":false,"kept":true}'
    return
  fi
  if [[ ! -f $FOUND/machine ]]; then
    # A server or worker that was there before Triad, or one that a Triad without this memory has prepared.
    release_packages
    forget_found
    result "{\"changed\":$changed,\"kept\":true}"
    return
  fi
  info "making this machine as it was found"
  restore_service kubelet
  restore_containerd
  restore_found "$UNIT" "$UNIT.d/10-kubeadm.conf" "$BIN"/{kubeadm,kubelet,kubectl}
  for folder in "$CNI_BIN"/*; do
    [[ ! -L $folder ]] || restore_found "$folder"
  done
  release_packages
  remove_file "$AUDIT_POLICY_FILE"
  for folder in $FOLDERS; do
    if was_absent "$folder"; then remove_tree "$folder"; fi
  done
  restore_swap
  restore_kernel
  systemctl daemon-reload
  # shellcheck disable=SC2086 # paths without blanks
  end_memory $FOLDERS /var/lib/etcd
  result "{\"changed\":$changed,\"kept\":false}"
}

report() {
  local adopted=false
  ! is_member || adopted=true
  result "$(printf '{"changed":%s,"adopted":%s,"containerd":%s,"kubelet":%s,"arch":%s}' "$changed" "$adopted" \
    "$(json_string "$(containerd_version)")" "$(json_string "$(binary_version kubelet)")" "$(json_string "$(architecture)")")"
}

is_member() { [[ -e $ROOT/etc/kubernetes/kubelet.conf ]]; }

# On a member only if it is absent: whoever changes flags of a running API server brings its files.
ensure_audit_policy() {
  [[ ${ROLE:-} == server && -n ${AUDIT_POLICY:-} ]] || return 0
  if is_member && [[ -e $AUDIT_POLICY_FILE ]]; then return 0; fi
  install_file "$AUDIT_POLICY_FILE" 0600 <<<"${AUDIT_POLICY%$'\n'}"
}
