# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in machine.sh
#
# A part of machine.sh: the container runtime and its network plugins.

containerd_version() {
  local text
  text=$(containerd --version 2>/dev/null) || return 0
  [[ $text =~ [[:space:]]v?([0-9]+\.[0-9]+\.[0-9]+) ]] || return 0
  printf '%s' "${BASH_REMATCH[1]}"
}

cgroup_driver() {
  if [[ -n ${CGROUP_DRIVER:-} ]]; then
    printf '%s' "$CGROUP_DRIVER"
  elif [[ $(stat -fc %T "$ROOT/sys/fs/cgroup") == cgroup2fs ]]; then
    printf systemd
  else
    printf cgroupfs
  fi
}

# Without CAP_SYS_RESOURCE (bit 24), as in some containers, runc cannot lower a pod's OOM score.
may_lower_oom_score() {
  local bounding
  bounding=$(awk '$1 == "CapBnd:" { print $2 }' "$ROOT/proc/1/status")
  ((16#${bounding:-1000000} >> 24 & 1))
}

render_containerd_config() {
  local pause systemd=false restrict=true
  pause=$(images_of_kubeadm | grep '/pause:')
  [[ $(cgroup_driver) != systemd ]] || systemd=true
  ! may_lower_oom_score || restrict=false
  cat <<CONFIG
# Written by Triad; changes made here are overwritten until the machine joins a cluster.
version = 2

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$pause"
  restrict_oom_score_adj = $restrict

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = $systemd
CONFIG
}

ensure_containerd() {
  local config before="$CONTAINERD_CONFIG.before-triad"
  config=$(render_containerd_config)
  if [[ -e $CONTAINERD_CONFIG && ! -e $before ]] && ! grep -q '^# Written by Triad' "$CONTAINERD_CONFIG"; then
    cp -a "$CONTAINERD_CONFIG" "$before"
  fi
  if ! cmp -s "$CONTAINERD_CONFIG" - <<<"$config"; then
    keep_found "$CONTAINERD_CONFIG"
    # Stands until containerd runs with the file, also if this run is cut in between.
    mkdir -p "$(dirname "$CONTAINERD_PENDING")"
    : >"$CONTAINERD_PENDING"
    install_file "$CONTAINERD_CONFIG" 0644 <<<"$config"
  fi
  if [[ -e $CONTAINERD_PENDING ]]; then
    info "restarting containerd"
    systemctl restart containerd
    changed=true
  elif ! systemctl is-active --quiet containerd; then
    systemctl start containerd
    changed=true
  fi
  systemctl is-enabled --quiet containerd || { systemctl enable containerd && changed=true; }
  wait_for 30 "containerd" timeout 5 ctr --namespace k8s.io version ||
    fail "containerd does not answer: $last_seen" "kubelet runs pods through it" "journalctl -u containerd on this machine"
  rm -f "$CONTAINERD_PENDING"
}

# restore_containerd: with the configuration and the images of then; one that came with Triad goes with all that it held
restore_containerd() {
  local image file
  if [[ -f $FOUND/images ]] && systemctl is-active --quiet containerd; then
    while read -r image; do
      timeout 60 ctr --namespace k8s.io images remove "$image" >/dev/null || warn "could not remove the image $image"
      changed=true
    done < <(timeout 30 ctr --namespace k8s.io images list --quiet | sort | comm -23 - "$FOUND/images")
  fi
  rm -f "$FOUND/images"
  for file in "$CERTS_D"/*/hosts.toml; do
    if grep -qs '^# Written by Triad' "$file"; then restore_found "$file"; fi
  done
  restore_found "$CONTAINERD_CONFIG"
  rm -f "$CONTAINERD_CONFIG.before-triad" "$CONTAINERD_PENDING"
  restore_service containerd
}

# Before the first one is fetched.
keep_images() {
  [[ $MEMORY == true && ! -e $FOUND/images ]] || return 0
  timeout 30 ctr --namespace k8s.io images list --quiet | sort >"$FOUND/.images"
  mv -f "$FOUND/.images" "$FOUND/images"
}

ensure_cni_plugins() {
  local plugin
  [[ ! -x $CNI_BIN/bridge ]] || return 0
  [[ -x $ROOT/usr/lib/cni/bridge ]] || ensure_packages containernetworking-plugins
  mkdir -p "$CNI_BIN"
  for plugin in "$ROOT"/usr/lib/cni/*; do
    [[ -x $plugin && ! -e $CNI_BIN/${plugin##*/} ]] || continue
    keep_found "$CNI_BIN/${plugin##*/}"
    ln -sf "$plugin" "$CNI_BIN/${plugin##*/}"
    changed=true
  done
}
