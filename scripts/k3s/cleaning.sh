# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh and the header, or read in the scripts that name this part
#
# A part of k3s-leave.sh: what a server held is kept, and the machine cleaned of it.

# keep_cold_copy FOLDER: its volumes are beside it and stay: /var/lib/rancher/k3s/storage, /var/lib/longhorn.
keep_cold_copy() {
  local name
  install -d -m 0700 "${1%/*}" "$1"
  if [[ -d $K3S_ETC && ! -d $1/etc ]]; then
    rm -rf "$1/etc.part"
    cp -a "$K3S_ETC" "$1/etc.part"
    sync -f "$1/etc.part"
    mv -T "$1/etc.part" "$1/etc"
  fi
  keep_moved "$K3S_DATA/server" "$1/server"
  # A later life as a server, or as no server, begins without them.
  for name in conversion config half-join initialising; do keep_moved "$TRIAD_DATA/$name" "$1/triad-$name"; done
  info "what this server held is in ${1#"$ROOT"}"
}

# What Triad has laid over the unit: how it starts, whether it may start, what is asked before.
forget_guards() {
  rm -f "$UNITS"/k3s.service.d/[0-9][0-9]-triad*.conf "$ROOT"/usr/local/lib/triad/k3s-{conversion,return}-guard
  rmdir "$UNITS/k3s.service.d" "$ROOT/usr/local/lib/triad" 2>/dev/null || true
}

# keep_moved PATH TARGET: whole, or not under its name, also from one disk to another
keep_moved() {
  local target=$2
  [[ -e $1 ]] || return 0
  if [[ -e $target ]]; then target+="-$(date +%s%N)"; fi
  if [[ $(stat -c %d "$1") == "$(stat -c %d "${2%/*}")" ]]; then
    mv -T "$1" "$target"
  else
    rm -rf "$2.part"
    cp -a "$1" "$2.part"
    sync -f "$2.part"
    mv -T "$2.part" "$target"
    rm -rf --one-file-system "$1"
  fi
  sync "${2%/*}"
}

# Nothing that is left may let a k3s that somebody starts here join again: its own settings stay, its way to the cluster not.
forget_identity() {
  rm -f "$AGENT_CONFIG"
  sift_config drop "server s token t token-file agent-token agent-token-file cluster-secret cluster-init cluster-reset"
}

# forget_unit FOLDER: one that Triad did not write is kept there, with what its command line says of this machine
forget_unit() {
  local file
  file=$(unit_file k3s) || return 0
  if [[ $file == "$UNITS/k3s.service" ]]; then
    install -d -m 0700 "$1"
    for file in k3s.service.env k3s.service; do
      [[ ! -f $UNITS/$file ]] || mv -f "$UNITS/$file" "$1/"
    done
    sync "$1"
  else
    # From a package, which would bring it back.
    systemctl mask k3s
  fi
}

# forget_agent FOLDER: one that was promoted has no cluster any more
forget_agent() {
  if [[ -d $KEPT_AGENT ]]; then keep_moved "$KEPT_AGENT" "$1/agent"; fi
  # Nor anything to be pointed back to.
  rm -rf "$TRIAD_DATA/client-before-endpoint"
}

clean_machine() {
  local path
  end_containers
  forget_network
  remove_tree /var/lib/rancher/k3s/agent/containerd /var/lib/rancher/k3s/agent/etc /var/lib/rancher/k3s/agent/pod-manifests
  rm -f "$K3S_DATA/agent"/*.{crt,key,kubeconfig}
}

# Containers of a Node that is no more.
end_containers() {
  local pid path
  for pid in $(pgrep -f 'containerd-shim.*/run/k3s/containerd' || true); do
    # shellcheck disable=SC2046 # process ids
    kill -KILL "$pid" $(descendants "$pid") 2>/dev/null || true
  done
  for path in /run/k3s /var/lib/kubelet; do
    unmount_below "$(canonical "$path")" || true
    remove_tree "$path"
  done
}

descendants() {
  local child
  for child in $(pgrep -P "$1" || true); do
    printf '%s ' "$child"
    descendants "$child"
  done
}
