# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# etcd's members as this server's own member sees them, by the JSON gateway that a kubeadm etcd has on its client port.
# Variables: MEMBER_ID (remove, move-leader), a decimal string.
#
# part: kubeadm/etcd.sh

EXTRA_VERBS=move-leader

# The answer is the gateway's own JSON: the list is asked linearizably, so it is never a minority's memory.
check() {
  local members status='' url separator=''
  members=$(etcd_call /v3/cluster/member/list '{"linearizable":true}')
  while read -r url; do
    status+="$separator\"$url\":$(etcd_call /v3/maintenance/status '{}' "$url" 2>/dev/null || printf null)"
    separator=,
  done < <(grep -o '"clientURLs":\["[^"]*"' <<<"$members" | sed 's/.*\["//;s/"$//')
  result "{\"list\":$members,\"status\":{$status}}"
}

remove() {
  etcd_call /v3/cluster/member/remove "{\"ID\":\"$MEMBER_ID\"}" >/dev/null
  result '{"changed":true}'
}

move-leader() {
  local url leader
  leader=$(etcd_call /v3/maintenance/status '{}' | sed -n 's/.*"leader":"\([0-9]*\)".*/\1/p')
  # Only the leader itself takes this call.
  url=$(etcd_call /v3/cluster/member/list '{}' | tr '{' '\n' |
    sed -n "s/.*\"ID\":\"$leader\".*\"clientURLs\":\[\"\([^\"]*\)\".*/\1/p")
  etcd_call /v3/maintenance/transfer-leadership "{\"targetID\":\"$MEMBER_ID\"}" "$url" >/dev/null
  result '{"changed":true}'
}
