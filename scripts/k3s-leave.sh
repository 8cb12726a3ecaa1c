# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Stops being a server.
#   retire  k3s never starts again by itself: a removed member that starts joins again. It ends now, but for the last
#           other voter's sake: two voters must both live while one is removed
#   stay    takes that back, where its member was not removed after all
#   ensure  k3s ends, a cold copy of what it held is kept. A machine that was an agent before is one again, with its
#           containers and data; any other is cleaned of what joining brought
#
# part: k3s/service.sh
# part: k3s/agent.sh
# part: k3s/install.sh

EXTRA_VERBS="retire stay"

retire() {
  has_unit k3s || return 0
  install_file "$LEAVING" 0600 <<<"$(date -u +%FT%TZ)"
  # Masking would do the same, but a masked unit forgets that its containers are to go on.
  install_file "$STAY_OUT" 0644 <<<"# Written by Triad: this server leaves its cluster.
[Unit]
ConditionPathExists=!/var/lib/triad/leaving
[Service]
Restart=no"
  systemctl daemon-reload
  if (($(voters) == 2)); then
    info "k3s goes on until its member is removed: the other voter cannot remove it alone"
  else
    info "stopping k3s"
    stop_server "run this again"
  fi
  changed=true
}

stay() {
  remove_file "$STAY_OUT" "$LEAVING"
  [[ $changed == false ]] || systemctl daemon-reload
}

# 0 where etcd does not answer.
voters() {
  etcd_call /v3/cluster/member/list '{"linearizable":true}' 2>/dev/null |
    tr '{' '\n' | grep '"ID":' | grep -vc '"isLearner":true' || true
}

ensure() {
  if ! has_unit k3s; then
    result "{\"changed\":false,\"worker\":$(truth has_unit k3s-agent)}"
    return
  fi
  stop_server "run this again"
  systemctl disable k3s
  keep_cold_copy
  forget_server_files
  rm -f "$STAY_OUT" "$LEAVING"
  systemctl daemon-reload
  if agent_is_kept; then
    put_agent_back
    result '{"changed":true,"worker":true}'
    return
  fi
  end_containers
  rm -rf "$K3S_DATA/agent/containerd" "$K3S_DATA/agent/etc" "$K3S_DATA/agent/pod-manifests"
  rm -f "$K3S_DATA/agent"/*.{crt,key,kubeconfig}
  result '{"changed":true,"worker":false}'
}

# Its volumes are beside it and stay: /var/lib/rancher/k3s/storage, /var/lib/longhorn.
keep_cold_copy() {
  local kept
  kept="$TRIAD_DATA/left/$(date +%Y%m%dT%H%M%S)"
  install -d -m 0700 "$kept"
  cp -a "$K3S_ETC" "$kept/etc"
  if [[ -d $K3S_DATA/server ]]; then mv "$K3S_DATA/server" "$kept/"; fi
  info "what this server held is in $kept"
}

# Containers of a Node that is no more. A mount that does not come off is left, and so is what lies below it.
end_containers() {
  local pid path
  for pid in $(pgrep -f 'containerd-shim.*/run/k3s/containerd' || true); do
    # shellcheck disable=SC2046 # process ids
    kill -KILL "$pid" $(descendants "$pid") 2>/dev/null || true
  done
  while read -r path; do
    umount "$path" 2>/dev/null || warn "could not unmount $path"
  done < <(awk '{ print $2 }' "$ROOT/proc/self/mounts" | grep -E '^(/run/k3s|/var/lib/kubelet/(pods|plugins)|/run/netns/cni-)' | sort -r)
  for path in cni0 flannel.1 flannel-v6.1 flannel-wg; do ip link delete "$path" 2>/dev/null || true; done
  grep -q ' /run/k3s' "$ROOT/proc/self/mounts" || rm -rf "$ROOT/run/k3s"
  grep -q ' /var/lib/kubelet' "$ROOT/proc/self/mounts" || rm -rf "$ROOT/var/lib/kubelet"
  rm -rf "$ROOT/var/lib/cni"
}

descendants() {
  local child
  for child in $(pgrep -P "$1" || true); do
    printf '%s ' "$child"
    descendants "$child"
  done
}
