# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # the header and lib.sh set what is read here
#
# Stops being a server. Each verb goes on from wherever an earlier run was cut off.
#   retire  the API ends; etcd goes on, so that its member can still be removed
#   stay    takes that back, where its member was not removed after all
#   ensure  with its member out of the list: etcd ends, a cold copy of what the server held is kept, and what joining brought
#           is cleaned, or the machine goes on as a worker
#   wipe    the same on the last server, whose member nobody can remove
#   check   whether it is a server still, has retired, and is, or will be once it has left, a worker
# Variables: BECOMES (worker; cleaned, or empty), ENDPOINT (https://name:port; where a worker reaches the API),
#   MEMBER_SECONDS (how long its etcd may take to see that it is no member any more, default 20).
#
# part: leave/mounts.sh
# part: leave/network.sh
# part: leave/member.sh
# part: kubeadm/etcd.sh
# part: kubeadm/static-pods.sh
# part: kubeadm/cold-copy.sh
# part: kubeadm/reset.sh

EXTRA_VERBS="retire stay wipe"
readonly ETC="$ROOT/etc/kubernetes"
readonly TRIAD_DATA="$ROOT/var/lib/triad"
# Stands from before the first step of `ensure` until after its last. A line each: what the machine becomes, where the cold
# copy lies.
readonly LEAVING="$TRIAD_DATA/leaving"

retire() {
  end_static_pod kube-apiserver
}

stay() {
  # From here on only `ensure` knows what to do.
  [[ ! -f $LEAVING ]] || return 0
  bring_back kube-apiserver
  if [[ $changed == true ]] && systemctl is-active --quiet kubelet; then
    wait_for 90 "kubelet to start the API server" runs kube-apiserver || true
  fi
}

ensure() {
  if ! is_server; then
    # One that never was a server, or has left before: a worker's pods are none of ours to end.
    rm -f "$TRIAD_DATA/joined"
    result "{\"changed\":false,\"worker\":$(truth test -f "$ETC/kubelet.conf")}"
    return
  fi
  [[ -f $LEAVING ]] || refuse_a_member
  leave
}

wipe() {
  BECOMES=''
  if is_server; then leave; else result '{"changed":false,"worker":false}'; fi
}

is_server() {
  local path
  [[ ! -f $LEAVING ]] || return 0
  for path in "$ETC"/{manifests/,.}kube-apiserver.yaml{,.triad} "$ETC"/{manifests/,.}etcd.yaml{,.triad}; do
    [[ ! -e $path ]] || return 0
  done
  return 1
}

leave() {
  local becomes kept name pods="kube-apiserver kube-controller-manager kube-scheduler etcd"
  if [[ ! -f $LEAVING ]]; then
    install_file "$LEAVING" 0600 <<<"${BECOMES:-cleaned}"$'\n'"$(date +%Y%m%dT%H%M%S)"
  fi
  { read -r becomes && read -r kept; } <"$LEAVING" ||
    fail "$LEAVING is not what it was written as" "what the machine is to become is not known" \
      "write \"cleaned\" or \"worker\" into its first line and a name for the cold copy into its second"
  # The API first by the endpoint: else kubelet could not tell the cluster that its servers' pods have ended.
  if [[ $becomes == worker ]]; then point_kubelet; fi
  # All at once, as each may take its time.
  for name in $pods; do set_aside "$name"; done
  for name in $pods; do end_static_pod "$name"; done
  keep_cold_copy "$TRIAD_DATA/left/$kept"
  forget_server_files
  if [[ $becomes != worker ]]; then clean_machine "$TRIAD_DATA/left/$kept"; fi
  rm -f "$TRIAD_DATA/joined"
  rm -f "$LEAVING"
  result "{\"changed\":true,\"worker\":$(truth test "$becomes" == worker)}"
}

point_kubelet() {
  local file="$ETC/kubelet.conf"
  [[ -n ${ENDPOINT:-} && -f $file ]] || return 0
  ! grep -qE "^ *server: $ENDPOINT\$" "$file" || return 0
  info "pointing kubelet to $ENDPOINT"
  cp -p "$file" "$file.triad"
  sed -i "s|^\( *server:\) .*|\1 $ENDPOINT|" "$file.triad"
  sync "$file.triad"
  mv -f "$file.triad" "$file"
  systemctl restart kubelet
  wait_for 60 "kubelet to be healthy" curl --silent --show-error --fail --max-time 2 http://127.0.0.1:10248/healthz ||
    warn "kubelet is not healthy yet: see journalctl -u kubelet on this machine"
}

check() {
  local retired=false worker=false
  if [[ -e $ETC/.kube-apiserver.yaml.triad || -f $LEAVING ]]; then retired=true; fi
  if [[ $(head -n 1 "$LEAVING" 2>/dev/null) == worker ]] || { ! is_server && [[ -f $ETC/kubelet.conf ]]; }; then
    worker=true
  fi
  result "{\"server\":$(truth is_server),\"retired\":$retired,\"worker\":$worker}"
}
