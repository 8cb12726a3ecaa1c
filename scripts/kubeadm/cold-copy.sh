# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh and the header, or read in the scripts that name this part
#
# A part of kubeadm-leave.sh: what the server held, moved to where Triad never deletes.

# keep_cold_copy FOLDER: whole, or not under its name
keep_cold_copy() {
  local kept=$1
  [[ ! -d $kept ]] || return 0
  rm -rf "$kept.part"
  install -d -m 0700 "${kept%/*}" "$kept.part"
  if [[ -d $ETC ]]; then cp -a "$ETC" "$kept.part/"; fi
  if [[ -d $ROOT/var/lib/etcd/member ]]; then cp -a "$ROOT/var/lib/etcd/member" "$kept.part/"; fi
  sync -f "$kept.part"
  mv -T "$kept.part" "$kept"
  sync "${kept%/*}"
  info "a copy of what this server held is in ${kept#"$ROOT"}"
}

# The keys of the cluster and what speaks with them. kubelet keeps its own, and the authority by which it knows others.
forget_server_files() {
  local name
  rm -f "$ETC"/{admin,super-admin,controller-manager,scheduler}.conf
  for name in kube-apiserver kube-controller-manager kube-scheduler etcd; do
    rm -f "$ETC/.$name.yaml.triad" "$ETC/manifests/$name.yaml"
  done
  if [[ -d $ETC/pki ]]; then
    find "$ETC/pki" -mindepth 1 ! -path "$ETC/pki/ca.crt" -delete
  fi
  empty_tree /etc/kubernetes/tmp
  # kubeadm reset leaves it, and the next join would refuse a folder that is not empty.
  remove_tree /var/lib/etcd/member
}
