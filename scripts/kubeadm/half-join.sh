# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh and the header, or read in the scripts that name this part
#
# A part of kubeadm-join.sh and machine.sh: a join, or a leave, that was cut off.

# An etcd whose member was removed does not run.
is_joined() {
  [[ -f $ETC/admin.conf && -f $ETC/manifests/kube-apiserver.yaml && -d $ROOT/var/lib/etcd/member && ! -f $LEAVING ]] &&
    wait_for 10 "etcd on this machine" curl --silent --show-error --fail --max-time 2 http://127.0.0.1:2381/health
}

# It leaves files over which the next join stumbles. No member is in the list with them: whoever calls this has removed it,
# or seen that there was none.
forget_half_join() {
  [[ -e $ETC/kubelet.conf || -e $ETC/manifests/etcd.yaml || -d $ROOT/var/lib/etcd/member ||
    -e $ETC/pki/ca.crt || -e $ETC/bootstrap-kubelet.conf || -f $LEAVING ]] || return 0
  local kept
  kept="$ROOT/var/lib/triad/half-join/$(date +%Y%m%dT%H%M%S)"
  info "clearing what a join or a leave that did not finish left behind (what etcd held is kept in ${kept#"$ROOT"})"
  install -d -m 0700 "$kept"
  rm -f "$ETC"/.*.yaml.triad "$ETC"/{admin,super-admin}.conf
  systemctl stop kubelet 2>/dev/null || warn "kubelet does not stop"
  reset_machine
  # kubeadm reset leaves it, and kubeadm join refuses a folder that is not empty.
  if [[ -d $ROOT/var/lib/etcd/member ]]; then mv "$ROOT/var/lib/etcd/member" "$kept/"; fi
  rm -f "$LEAVING"
  changed=true
}

# is_half_joined: whether a join of Triad's ended before the cluster knew of this machine: no etcd has run here, and there
# is no Node. Where that cannot be seen it is none.
is_half_joined() {
  [[ -f $JOINED && ! -f $LEAVING && ! -d $ROOT/var/lib/etcd/member ]] && is_no_node
}

is_no_node() {
  local pem="$ROOT/var/lib/kubelet/pki/kubelet-client-current.pem" name server answer
  # Without it no API ever knew its kubelet.
  [[ -e $pem ]] || return 0
  name=$(openssl x509 -in "$pem" -noout -subject -nameopt multiline | sed -n 's/.*commonName *= system:node://p')
  server=$(sed -n 's/^ *server: *//p' "$ETC/kubelet.conf")
  answer=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 5 --cacert "$ETC/pki/ca.crt" \
    --cert "$pem" --key "$pem" "$server/api/v1/nodes/$name" </dev/null) || true
  [[ $answer == 404 ]]
}
