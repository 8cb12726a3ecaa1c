#!/bin/sh
# The lab's double of https://get.k3s.io: makes a service of a k3s that is there already. It takes the same variables and
# leaves the same files; it downloads nothing, so INSTALL_K3S_SKIP_DOWNLOAD has to be set.
#   [K3S_*=…] [INSTALL_K3S_EXEC=…] INSTALL_K3S_SKIP_DOWNLOAD=true install.sh [server|agent] [FLAGS…]
# Imitated: INSTALL_K3S_{EXEC,NAME,TYPE,SKIP_START,SKIP_ENABLE,FORCE_RESTART,BIN_DIR,SYSTEMD_DIR}.
# Source: https://docs.k3s.io/reference/env-variables and install.sh of k3s
set -eu

info() { echo "[INFO]  $*"; }
fatal() {
  echo "[ERROR] $*" >&2
  exit 1
}

bin=${INSTALL_K3S_BIN_DIR:-/usr/local/bin}
units=${INSTALL_K3S_SYSTEMD_DIR:-/etc/systemd/system}
[ -n "${INSTALL_K3S_SKIP_DOWNLOAD:-}" ] || fatal "the lab's double of install.sh downloads nothing: set INSTALL_K3S_SKIP_DOWNLOAD=true"
[ -x "$bin/k3s" ] || fatal "Executable k3s binary not found at $bin/k3s"

# What is to be run comes first; without a command it depends on whether there is a server to go to.
# shellcheck disable=SC2086 # the variable holds words
set -- ${INSTALL_K3S_EXEC:-} "$@"
case "${1:-}" in
  -* | "")
    command=server
    if [ -n "${K3S_URL:-}" ]; then
      command=agent
      [ -n "${K3S_TOKEN:-}${K3S_TOKEN_FILE:-}" ] ||
        fatal "Defaulted k3s exec command to 'agent' because K3S_URL is defined, but K3S_TOKEN or K3S_TOKEN_FILE is not defined."
    fi
    ;;
  *)
    command=$1
    shift
    ;;
esac
case "${K3S_URL:-https://}" in
  https://*) ;;
  *) fatal "Only https:// URLs are supported for K3S_URL (have $K3S_URL)" ;;
esac

name=k3s${INSTALL_K3S_NAME:+-$INSTALL_K3S_NAME}
[ "$name" != k3s ] || [ "$command" = server ] || name=k3s-$command
type=notify
[ "$command" = server ] || type="exec"
type=${INSTALL_K3S_TYPE:-$type}
unit=$units/$name.service
killall=$bin/k3s-killall.sh
uninstall=$bin/$name-uninstall.sh

hashes() { sha256sum "$bin/k3s" "$unit" "$unit.env" 2>/dev/null || true; }
before=$(hashes)

for link in kubectl crictl ctr; do
  [ -e "$bin/$link" ] || command -v "$link" >/dev/null || ln -s k3s "$bin/$link"
done

info "Creating killall script $killall"
cat >"$killall" <<'EOF'
#!/bin/sh
[ "$(id -u)" -eq 0 ] || exec sudo "$0" "$@"

# A unit of anybody's that is called k3s-SOMETHING is stopped as well.
for service in /etc/systemd/system/k3s*.service; do
  [ -s "$service" ] && systemctl stop "$(basename "$service")"
done

descendants() {
  for child in $(ps -e -o ppid= -o pid= | awk -v parent="$1" '$1 == parent { print $2 }'); do
    descendants "$child"
    echo "$child"
  done
}
# In the real one the shim is one of k3s' own programs; here it is Debian's, so its socket tells.
for shim in $(ps -e -o pid= -o args= | awk '/containerd-shim/ && /\/run\/k3s\/containerd\// && !/awk/ { print $1 }'); do
  # shellcheck disable=SC2046
  kill -9 $(descendants "$shim") "$shim" 2>/dev/null
done

unmount_and_remove() {
  awk -v path="$1" 'index($2, path) == 1 { print $2 }' /proc/self/mounts | sort -r |
    while read -r mount; do umount -f "$mount" && rm -rf "$mount"; done
}
unmount_and_remove /run/k3s
unmount_and_remove /var/lib/kubelet/pods
unmount_and_remove /var/lib/kubelet/plugins
unmount_and_remove /run/netns/cni-

ip netns show 2>/dev/null | grep cni- | cut -d' ' -f1 | xargs -r -n 1 ip netns delete
ip -o link show master cni0 2>/dev/null | awk -F': ' '{ sub(/@.*/, "", $2); print $2 }' | xargs -r -n 1 ip link delete
for link in cni0 flannel.1 flannel-v6.1 kube-ipvs0 flannel-wg flannel-wg-v6; do
  ip link delete "$link" 2>/dev/null
done
rm -rf /var/lib/cni/
iptables-save | grep -v KUBE- | grep -v CNI- | grep -iv flannel | iptables-restore
ip6tables-save | grep -v KUBE- | grep -v CNI- | grep -iv flannel | ip6tables-restore
EOF

info "Creating uninstall script $uninstall"
sed "s|@NAME@|$name|g; s|@BIN@|$bin|g; s|@UNITS@|$units|g" >"$uninstall" <<'EOF'
#!/bin/sh
[ "$(id -u)" -eq 0 ] || exec sudo --preserve-env=K3S_DATA_DIR "$0" "$@"
data=${K3S_DATA_DIR:-/var/lib/rancher/k3s}

@BIN@/k3s-killall.sh

systemctl disable @NAME@
systemctl reset-failed @NAME@
rm -f @UNITS@/@NAME@.service @UNITS@/@NAME@.service.env
systemctl daemon-reload
trap 'rm -f @BIN@/@NAME@-uninstall.sh' EXIT

# Also a unit that only looks like one of k3s' keeps all that follows from happening.
if ls @UNITS@/k3s*.service >/dev/null 2>&1; then
  echo 'Additional k3s services installed, skipping uninstall of k3s'
  exit
fi

for link in kubectl crictl ctr; do
  [ ! -L "@BIN@/$link" ] || rm -f "@BIN@/$link"
done

# What is a mount point is emptied and stays.
clean() {
  if ! grep -q " $1" /proc/mounts; then
    rm -rf "$1"
    return
  fi
  for path in "$1"/*; do
    if [ -d "$path" ]; then clean "$path"; else rm -f "$path"; fi
  done
}
rm -rf /etc/rancher/k3s /run/k3s /run/flannel
clean "$data"
rm -rf /var/lib/kubelet
rm -f @BIN@/k3s @BIN@/k3s-killall.sh
EOF
chmod 0755 "$killall" "$uninstall"

info "env: Creating environment file $unit.env"
(umask 0377 && rm -f "$unit.env" && : >"$unit.env")
chmod 0600 "$unit.env"
env | grep '^K3S_' | grep -Ev '^(K3S_KUBECONFIG_FILE)=' >>"$unit.env" || true
env | grep -Ei '^(NO|HTTP|HTTPS)_PROXY=|^CONTAINERD_' >>"$unit.env" || true

info "systemd: Creating service file $unit"
cat >"$unit" <<EOF
[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=$type
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-$unit.env
KillMode=process
Delegate=yes
User=root
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=$bin/k3s \\
    $command \\
$(for argument in "$@"; do printf "\t'%s' \\\\\n" "$argument"; done)

EOF
chmod 0644 "$unit"
systemctl daemon-reload

[ "${INSTALL_K3S_SKIP_ENABLE:-}" != true ] || exit 0
info "systemd: Enabling $name unit"
systemctl enable "$unit" >/dev/null
[ "${INSTALL_K3S_SKIP_START:-}" != true ] || exit 0
if [ "$(hashes)" = "$before" ] && [ "${INSTALL_K3S_FORCE_RESTART:-}" != true ]; then
  info "No change detected so skipping service start"
  exit 0
fi
info "systemd: Starting $name"
systemctl restart "$name"
