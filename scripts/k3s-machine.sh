# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, or read there or in the parts
#
# Makes a Debian or Ubuntu machine ready to become a k3s server or agent, up to but without its unit.
# A machine that is one already is left as it is: nothing changed, nothing restarted.
#
# Verbs
#   ensure   modules, kernel settings, k3s and its images by version and checksum, registry mirror, folders
#   check    what is there, without changing it
#   remove   does nothing: a program and images harm nobody
#
# Variables
#   VERSION          of k3s, such as v1.34.2+k3s1
#   ARTIFACTS_URL    holds VERSION/{k3s,k3s-arm64,k3s-armhf,k3s-airgap-images-ARCH.tar.gz,sha256sum-ARCH.txt}, the
#                    version's + written %2B, as k3s's releases do
#   ROLE             server or worker
#   IMAGE_MIRROR     URL of a registry asked before the public ones; optional
#   AUDIT_POLICY     text of the API server's audit policy, which must lie there before a join; optional
#
# part: machine/fetch.sh
# part: machine/kernel.sh
# part: k3s/service.sh
# part: k3s/artifacts.sh

ensure() {
  require VERSION ARTIFACTS_URL ROLE
  hold_lock machine 600
  if ! is_member; then
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

remove() { report; }

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
