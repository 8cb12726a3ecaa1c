# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh and the header, or read in the scripts that name this part
#
# A part of kubeadm-leave.sh and kubeadm-join.sh: what kubeadm reset does, and what it leaves to its reader.

# clean_machine FOLDER: takes the Node off this machine; what Triad kept of it goes to that folder
clean_machine() {
  local name
  info "kubeadm cleans this machine"
  # Nothing is mounted any more from here on.
  systemctl stop kubelet 2>/dev/null || warn "kubelet does not stop"
  reset_machine
  forget_network
  if [[ -d $ROOT/etc/cni/net.d ]]; then
    mkdir -p "$1/cni"
    cp -a "$ROOT/etc/cni/net.d/." "$1/cni/"
    empty_tree /etc/cni/net.d
  fi
  for name in manifests retrofit half-join kubelet.conf.before-endpoint; do
    [[ ! -e $ROOT/var/lib/triad/$name ]] || mv -f -T "$ROOT/var/lib/triad/$name" "$1/triad-$name"
  done
}

# kubeadm deletes all below kubelet's folder. Older ones go on where a volume could not be unmounted, and delete what is in it.
reset_machine() {
  local socket
  if unmount_below "$(canonical /var/lib/kubelet)"; then
    socket=$(runtime_socket)
    told kubeadm reset --force --skip-phases remove-etcd-member ${socket:+--cri-socket "$socket"} && return
    warn "kubeadm did not clean everything: the rest is cleaned without it"
  fi
  rm -f "$ROOT"/etc/kubernetes/{kubelet,bootstrap-kubelet}.conf
  empty_tree /etc/kubernetes/manifests
  empty_tree /etc/kubernetes/pki
  empty_tree /var/lib/kubelet
}

# Where there are several runtimes kubeadm wants to be told which one it was.
runtime_socket() {
  sed -n 's/.*--container-runtime-endpoint=\([^ "]*\).*/\1/p;s/^containerRuntimeEndpoint: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' \
    "$ROOT"/var/lib/kubelet/{kubeadm-flags.env,instance-config.yaml,config.yaml} 2>/dev/null | grep . | head -n 1 || true
}
