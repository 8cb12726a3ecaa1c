# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, or read there or in the parts
#
# Makes a Debian or Ubuntu machine ready to become a k3s server or agent, up to but without its unit.
# A machine that is one already is left as it is: nothing changed, nothing restarted.
#
# Verbs
#   ensure   modules, kernel settings, k3s and its images by version and checksum, registry mirror, folders
#   check    what is there, without changing it
#   remove   makes the machine as it was found; one that is a server or an agent is left alone, and so is one that was when
#            Triad came. Volumes in /var/lib/rancher/k3s/storage stay. A join that ended before etcd ran here is cleared:
#            else k3s would go on with it
#
# Variables
#   VERSION          of k3s, such as v1.34.2+k3s1
#   ARTIFACTS_URL    holds VERSION/{k3s,k3s-arm64,k3s-armhf,k3s-airgap-images-ARCH.tar.gz,sha256sum-ARCH.txt}, the
#                    version's + written %2B, as k3s's releases do
#   ROLE             server or worker
#   IMAGE_MIRROR     URL of a registry asked before the public ones; optional
#   AUDIT_POLICY     text of the API server's audit policy, which must lie there before a join; optional
#   ON_DESTROY       forget: remove does nothing; optional
#
# part: machine/fetch.sh
# part: machine/kernel.sh
# part: k3s/service.sh
# part: k3s/artifacts.sh
# part: found/files.sh
# part: found/packages.sh
# part: leave/mounts.sh
# part: k3s/agent.sh
# part: k3s/install.sh

# What k3s, kubelet and network plugins make, without anybody's data in it.
FOLDERS="/var/lib/kubelet /var/lib/cni /var/log/pods /var/log/containers /etc/cni /opt/cni /run/k3s /run/flannel
  /usr/libexec/kubernetes"
# What is in them may be somebody's.
PARENTS="/etc/rancher /etc/rancher/node /etc/rancher/k3s /var/lib/rancher /var/lib/rancher/k3s"

ensure() {
  require VERSION ARTIFACTS_URL ROLE
  hold_lock machine 600
  if ! is_member; then
    begin_memory
    # shellcheck disable=SC2086 # paths without blanks
    keep_found_folders $FOLDERS $PARENTS
    ensure_modules
    ensure_kernel_settings
    ensure_packages iptables iproute2 curl ca-certificates
    ensure_k3s
    ensure_links
    ensure_images
    ensure_mirror
  fi
  if [[ $ROLE == server ]]; then ensure_server_files; fi
  report
}

check() { report; }

remove() {
  local folder
  hold_lock machine 600
  if [[ ${ON_DESTROY:-} != forget && -f $TRIAD_DATA/joined && ! -f $LEAVING && $(datastore) == none ]]; then
    forget_half_join
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
  remove_k3s
  if grep -qs '^# Written by Triad' "$K3S_ETC/registries.yaml"; then remove_file "$K3S_ETC/registries.yaml"; fi
  for folder in $FOLDERS /etc/rancher/node; do
    if was_absent "$folder"; then remove_tree "$folder"; fi
  done
  release_packages
  remove_file "$TRIAD_DATA/audit-policy.yaml"
  restore_kernel
  rmdir "$K3S_ETC/config.yaml.d" "$TRIAD_DATA/snapshots" 2>/dev/null || true
  # shellcheck disable=SC2086 # paths without blanks
  end_memory $FOLDERS $PARENTS
  result "{\"changed\":$changed,\"kept\":false}"
}

report() {
  local adopted=false
  ! is_member || adopted=true
  result "$(printf '{"changed":%s,"adopted":%s,"k3s":%s,"arch":%s}' "$changed" "$adopted" \
    "$(json_string "$(k3s_version)")" "$(json_string "$(architecture)")")"
}

is_member() { has_unit k3s || has_unit k3s-agent; }

# In the words of k3s's releases.
# containerd reads this file when k3s starts; one that is somebody else's stays.
ensure_mirror() {
  local file="$K3S_ETC/registries.yaml" registry text='# Written by Triad
mirrors:'
  if [[ -f $file ]] && ! grep -q '^# Written by Triad' "$file"; then return 0; fi
  if [[ -z ${IMAGE_MIRROR:-} ]]; then
    remove_file "$file"
    return
  fi
  for registry in docker.io registry.k8s.io ghcr.io; do
    text+="
  $registry:
    endpoint:
      - \"${IMAGE_MIRROR%/}\""
  done
  install_file "$file" 0600 <<<"$text"
}

# On a member only if it is absent: whoever changes flags of a running API server brings its files.
ensure_server_files() {
  [[ -d $TRIAD_DATA/snapshots ]] || install -d -m 0700 "$TRIAD_DATA/snapshots"
  if is_member && [[ -e $TRIAD_DATA/audit-policy.yaml ]]; then return 0; fi
  write_audit_policy "${AUDIT_POLICY:-}"
}
