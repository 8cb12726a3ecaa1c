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
#   remove   does nothing: packages and images harm nobody
#
# Variables
#   VERSION          of Kubernetes, such as v1.34.2
#   ARTIFACTS_URL    holds release/VERSION/bin/linux/ARCH/{kubeadm,kubelet,kubectl}{,.sha256}
#   ROLE             server or worker
#   SHA256_KUBEADM, SHA256_KUBELET, SHA256_KUBECTL   used instead of the .sha256 beside the file; optional
#   IMAGE_MIRROR     URL of a registry asked before the public ones; optional
#   EXTRA_IMAGES     full names of further images to fetch beforehand, by spaces; optional
#   AUDIT_POLICY     text of the API server's audit policy, which must lie there before a join; optional
#   CGROUP_DRIVER    systemd or cgroupfs; by default systemd on cgroup v2 and cgroupfs on v1
#
# part: machine/fetch.sh
# part: machine/kernel.sh
# part: machine/binaries.sh
# part: machine/containerd.sh
# part: machine/images.sh

CONTAINERD_CONFIG="$ROOT/etc/containerd/config.toml"
CERTS_D="$ROOT/etc/containerd/certs.d"
CNI_BIN="$ROOT/opt/cni/bin"
BIN="$ROOT/usr/local/bin"
UNIT="$ROOT/etc/systemd/system/kubelet.service"
AUDIT_POLICY_FILE="$ROOT/etc/kubernetes/triad/audit-policy.yaml"
CONTAINERD_PENDING="$ROOT/run/triad/containerd-restart"

ensure() {
  require VERSION ARTIFACTS_URL ROLE
  hold_lock machine 600
  if ! is_member; then
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

remove() { report; }

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
