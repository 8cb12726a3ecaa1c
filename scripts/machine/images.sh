# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in machine.sh
#
# A part of machine.sh: registry mirror, and images fetched beforehand.

# containerd reads these files at every pull, so nothing is restarted.
ensure_mirror() {
  local registry server file text
  for registry in registry.k8s.io docker.io ghcr.io; do
    file="$CERTS_D/$registry/hosts.toml" server="https://$registry"
    [[ $registry != docker.io ]] || server="https://registry-1.docker.io"
    if [[ -n ${IMAGE_MIRROR:-} ]]; then
      text="# Written by Triad
server = \"$server\"

[host.\"${IMAGE_MIRROR%/}\"]
  capabilities = [\"pull\", \"resolve\"]"
      keep_found "$file"
      install_file "$file" 0644 <<<"$text"
    elif grep -q '^# Written by Triad' "$file" 2>/dev/null; then
      remove_file "$file"
    fi
  done
}

images_of_kubeadm() { kubeadm config images list --kubernetes-version "$VERSION"; }

# A worker runs no control plane.
wanted_images() {
  if [[ $ROLE == server ]]; then
    images_of_kubeadm
  else
    images_of_kubeadm | grep -E '/(kube-proxy|pause|coredns):'
  fi
}

missing_images() {
  local image present
  present=$(timeout 30 ctr --namespace k8s.io images list --quiet)
  for image in "$@"; do
    grep -qxF "$image" <<<"$present" || printf '%s\n' "$image"
  done
}

pull_image() {
  info "fetching the image $1"
  mkdir -p "$CERTS_D"
  timeout 600 ctr --namespace k8s.io images pull --hosts-dir "$CERTS_D" "$1" >/dev/null
}

ensure_images() {
  local wanted image missing
  keep_images
  wanted=$(wanted_images)
  # shellcheck disable=SC2086 # names without spaces, one an argument
  missing=$(missing_images $wanted)
  for image in $missing; do
    pull_image "$image" || pull_image "$image" ||
      fail "could not fetch the image $image" "a join would wait for it while the API waits for the join" \
        "check the registry mirror in the config, and that this machine reaches it"
    changed=true
  done
  # shellcheck disable=SC2086
  missing=$(missing_images ${EXTRA_IMAGES:-})
  for image in $missing; do
    if pull_image "$image"; then changed=true; else warn "could not fetch the image $image beforehand"; fi
  done
}
