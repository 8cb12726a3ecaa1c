# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh and the header, or read in the scripts that name this part
#
# A part of kubeadm-leave.sh and kubeadm-recover.sh: the pods that kubelet runs from files. It ends one whose file is gone; where kubelet is down
# nobody starts it again either.

# end_static_pod NAME: sets its file aside, and waits until its process has ended
end_static_pod() {
  local name=$1
  set_aside "$name"
  if systemctl is-active --quiet kubelet && wait_for 90 "$name to end" ended "$name"; then return 0; fi
  ended "$name" >/dev/null || end_process "$name"
}

set_aside() {
  local name=$1
  [[ -f $ETC/manifests/$name.yaml ]] || return 0
  info "stopping $name"
  mv -f "$ETC/manifests/$name.yaml" "$ETC/.$name.yaml.triad"
  sync "$ETC"
  changed=true
}

bring_back() {
  local name=$1
  [[ -f $ETC/.$name.yaml.triad && ! -f $ETC/manifests/$name.yaml ]] || return 0
  info "bringing $name back"
  mv -f "$ETC/.$name.yaml.triad" "$ETC/manifests/$name.yaml"
  sync "$ETC"
  changed=true
}

end_process() {
  local name=$1 signal
  for signal in TERM KILL; do
    # shellcheck disable=SC2046 # process ids
    kill "-$signal" $(processes "$name") 2>/dev/null || true
    if wait_for 30 "$name to end" ended "$name"; then return 0; fi
  done
  fail "$name does not end on this machine: $last_seen" "what it has on the disk cannot be touched safely while it runs" \
    "see what the process waits for (ps -o state,wchan), or reboot the machine, then run this again"
}

ended() {
  local pids
  pids=$(processes "$1")
  printf 'it runs as process %s' "$pids"
  [[ -z $pids ]]
}

runs() { [[ -n $(processes "$1") ]]; }

# processes NAME: those in pods; an etcd that somebody runs for himself is none of ours
processes() {
  local pid
  # The kernel knows a process by 15 characters.
  for pid in $(pgrep -x "${1:0:15}" || true); do
    ! grep -qs kubepods "$ROOT/proc/$pid/cgroup" || printf '%s ' "$pid"
  done
}
