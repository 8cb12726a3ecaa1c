# shellcheck shell=bash
# shellcheck disable=SC2154 # the header and lib.sh set what is read here
#
# Writes on this server all that is needed to go back: a snapshot of etcd, its certificates and keys, kubeadm's configuration.
# Variables: LABEL (a file name's part), NODE_ADDRESS.

readonly DIRECTORY=/var/lib/triad/backups

ensure() {
  local work=$DIRECTORY/.$LABEL archive=$DIRECTORY/$LABEL.tar.gz container map
  umask 077
  mkdir -p "$DIRECTORY"
  rm -rf "$work"
  mkdir "$work"
  trap 'rm -rf "$DIRECTORY/.$LABEL" /var/lib/etcd/.triad-snapshot.db' EXIT
  container=$(ctr -n k8s.io containers ls -q \
    'labels."io.kubernetes.container.name"==etcd,labels."io.cri-containerd.kind"==container' | running_one)
  info "taking a snapshot of etcd"
  # The image carries etcdctl, and /var/lib/etcd is the one directory that it shares with the machine.
  rm -f /var/lib/etcd/.triad-snapshot.db
  last_seen=$(ctr -n k8s.io tasks exec --exec-id "triad-$$" "$container" /usr/local/bin/etcdctl \
    --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt \
    --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt --key=/etc/kubernetes/pki/etcd/healthcheck-client.key \
    snapshot save /var/lib/etcd/.triad-snapshot.db 2>&1 </dev/null) ||
    fail "etcd gave no snapshot: $last_seen" "nothing is touched without a backup" \
      "see etcd's log on this server (/var/log/pods/kube-system_etcd-*)"
  mv /var/lib/etcd/.triad-snapshot.db "$work/etcd-snapshot.db"
  cp -a /etc/kubernetes "$work/kubernetes"
  cp -a /var/lib/kubelet/config.yaml "$work/kubelet.yaml"
  for map in kube-system/kubeadm-config kube-system/kube-proxy kube-system/kubelet-config kube-public/cluster-info; do
    kubectl --kubeconfig /etc/kubernetes/admin.conf --server "https://$NODE_ADDRESS:6443" --request-timeout 5s \
      -n "${map%/*}" get configmap "${map#*/}" -o yaml >"$work/${map#*/}.yaml" </dev/null
  done
  tar -C "$work" -czf "$archive.part" .
  mv "$archive.part" "$archive"
  info "backup written to $archive"
  result "{\"path\":\"$archive\",\"bytes\":$(stat -c %s "$archive"),\"sha256\":\"$(sha256sum "$archive" | cut -d' ' -f1)\"}"
}

# Containers that ended stay in containerd's list until kubelet collects them.
running_one() {
  local id tasks
  tasks=$(ctr -n k8s.io tasks ls)
  while read -r id; do
    if grep -q "^$id .*RUNNING" <<<"$tasks"; then
      printf '%s' "$id"
      return
    fi
  done
  fail "no etcd container runs here" "without it no snapshot can be taken" "see journalctl -u kubelet on this server"
}
