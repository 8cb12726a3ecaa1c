# shellcheck shell=bash
#
# Looks at a machine, read-only and in less than a second. With kubelet's own files it tells what kubeadm made of it,
# with the units what k3s did.
#
# Verbs
#   check, ensure, remove   the same: tell what is there
#
# No variables.
#
# part: k3s/service.sh
# part: checkpoint/guard.sh

ensure() { check; }
remove() { check; }

check() {
  local listeners
  listeners=$(listeners)
  result "$(printf '{"sudo":%s,"hostname":%s,"os":%s,"arch":%s,"diskFreeGiB":%s,"memoryMiB":%s,"clockMs":%s,"swap":%s,' \
    "$(truth test "$EUID" -eq 0)" "$(json_string "$(hostname)")" "$(json_string "$(os_name)")" \
    "$(json_string "$(architecture)")" "$(disk_free_gib)" "$(memory_mib)" "$(date +%s%3N)" "$(truth swap_is_on)"
  printf '"heldBack":%s,' "$(json_string "$(held_back)")"
  printf '"kubeletConf":%s,"adminConf":%s,"etcdData":%s,"kubeletServer":%s,"k3s":%s,"listeners":%s}' \
    "$(truth test -e "$ROOT/etc/kubernetes/kubelet.conf")" "$(truth test -e "$ROOT/etc/kubernetes/admin.conf")" \
    "$(truth test -d "$ROOT/var/lib/etcd/member")" "$(json_string "$(kubelet_server)")" \
    "$(k3s_facts "$listeners")" "$listeners")"
}

os_name() {
  [[ ! -r $ROOT/etc/os-release ]] || sed -nE '/^PRETTY_NAME=/{s///;s/^["'"'"'](.*)["'"'"']$/\1/;p;q}' "$ROOT/etc/os-release"
}

# The least that is free, in whole GiB, where etcd, containerd and the system keep their files.
disk_free_gib() {
  local path paths=("$ROOT/")
  for path in var/lib var/lib/etcd var/lib/containerd var/lib/rancher; do
    [[ ! -d $ROOT/$path ]] || paths+=("$ROOT/$path")
  done
  df --output=avail -k "${paths[@]}" | awk 'NR == 2 || (NR > 2 && $1 < least) { least = $1 } END { printf "%d", least / 1048576 }'
}

memory_mib() { awk '$1 == "MemTotal:" { printf "%d", $2 / 1024 }' "$ROOT/proc/meminfo"; }

swap_is_on() { [[ -r $ROOT/proc/swaps && $(wc -l <"$ROOT/proc/swaps") -gt 1 ]]; }

kubelet_server() {
  [[ ! -r $ROOT/etc/kubernetes/kubelet.conf ]] ||
    sed -nE '/^ *server: */{s///;s/["'"'"' ]//g;p;q}' "$ROOT/etc/kubernetes/kubelet.conf"
}

# The checkpoint whose guard keeps the server from starting; empty for none.
held_back() {
  local unit guard
  for unit in k3s kubelet; do
    guard=$(guard_of "$unit")
    [[ ! -f $guard ]] || is_of_this_boot "$guard" || checkpoint_of "$guard"
  done
}

# k3s_facts LISTENERS: what k3s made of the machine. An etcd beside a living SQLite is stale, as k3s would start from it
# and leave SQLite out; one that listens is what k3s runs on, and one of a conversion under way is the conversion's matter.
k3s_facts() {
  local role=none version='' datastore=none stale=false
  if has_unit k3s; then
    role=server
    datastore=$(datastore)
    if [[ $datastore == sqlite && -e $K3S_DATA/server/db/etcd && ! -e $TRIAD_DATA/conversion/phase ]]; then
      if [[ $1 == *'"port":2379,'* ]]; then datastore=etcd; else stale=true; fi
    fi
  elif has_unit k3s-agent; then
    role=agent
  fi
  [[ $role == none ]] || version=$(k3s_version)
  printf '{"role":"%s","version":%s,"datastore":"%s","staleEtcd":%s}' \
    "$role" "$(json_string "$version")" "$datastore" "$stale"
}

# Each TCP port once, whatever addresses it is bound to.
listeners() {
  ss --no-header --listening --tcp --numeric --processes | awk '
    {
      port = $4
      sub(/.*:/, "", port)
      process = match($0, /\(\("[^"]*"/) ? substr($0, RSTART + 3, RLENGTH - 4) : ""
      gsub(/[^A-Za-z0-9._-]/, "", process)
      if (port ~ /^[0-9]+$/ && !(port in seen)) {
        seen[port] = 1
        printf "%s{\"port\":%d,\"process\":\"%s\"}", (n++ ? "," : "["), port, process
      }
    }
    END { printf "%s", (n ? "]" : "[]") }'
}
