# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, read there or in the scripts that name this part
#
# A part of the scripts that clean a machine: what kube-proxy and the network plugin made of its network. Rules that
# stay would send connections to Services that this machine knows no more.

readonly LINKS="cni0 flannel.1 flannel-v6.1 flannel-wg flannel-wg-v6 kube-ipvs0 nodelocaldns vxlan.calico"

forget_network() {
  local name family space
  for space in "$ROOT"/run/netns/cni-*; do
    [[ ! -e $space ]] || ip netns delete "${space##*/}" 2>/dev/null || warn "could not remove the network namespace $space"
  done
  for name in $LINKS; do ip link delete "$name" 2>/dev/null || true; done
  for family in iptables ip6tables iptables-legacy ip6tables-legacy iptables-nft ip6tables-nft; do forget_rules "$family"; done
  for family in ip ip6; do nft delete table "$family" kube-proxy 2>/dev/null || true; done
  remove_tree /var/lib/cni /run/flannel
}

# forget_rules COMMAND: all but Kubernetes' own stay, each table exchanged in one step
forget_rules() {
  local rules kept
  [[ -n $(command -v "$1-save") ]] || return 0
  rules=$("$1-save" 2>/dev/null) || return 0
  kept=$(grep -Ev 'KUBE-|CNI-|CILIUM_|cali[-:]|FLANNEL|flannel' <<<"$rules") || true
  [[ $kept != "$rules" ]] || return 0
  "$1-restore" <<<"$kept" || warn "could not take Kubernetes' rules out of $1: a reboot does"
}
