# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# etcd's members as this server's own member sees them, by the JSON gateway that a kubeadm etcd has on its client port.
# Variables: MEMBER_ID (remove, move-leader), a decimal string.

EXTRA_VERBS=move-leader
readonly ETCD_PKI=/etc/kubernetes/pki/etcd
readonly ETCD_LOCAL=https://127.0.0.1:2379

# The answer is the gateway's own JSON: the list is asked linearizably, so it is never a minority's memory.
check() {
  local members status='' url separator=''
  members=$(etcd_call "$ETCD_LOCAL" /v3/cluster/member/list '{"linearizable":true}')
  while read -r url; do
    status+="$separator\"$url\":$(etcd_call "$url" /v3/maintenance/status '{}' 2>/dev/null || printf null)"
    separator=,
  done < <(grep -o '"clientURLs":\["[^"]*"' <<<"$members" | sed 's/.*\["//;s/"$//')
  result "{\"list\":$members,\"status\":{$status}}"
}

remove() {
  etcd_call "$ETCD_LOCAL" /v3/cluster/member/remove "{\"ID\":\"$MEMBER_ID\"}" >/dev/null
  result '{"changed":true}'
}

move-leader() {
  local url leader
  leader=$(etcd_call "$ETCD_LOCAL" /v3/maintenance/status '{}' | sed -n 's/.*"leader":"\([0-9]*\)".*/\1/p')
  # Only the leader itself takes this call.
  url=$(etcd_call "$ETCD_LOCAL" /v3/cluster/member/list '{}' | tr '{' '\n' |
    sed -n "s/.*\"ID\":\"$leader\".*\"clientURLs\":\[\"\([^\"]*\)\".*/\1/p")
  etcd_call "$url" /v3/maintenance/transfer-leadership "{\"targetID\":\"$MEMBER_ID\"}" >/dev/null
  result '{"changed":true}'
}

etcd_call() {
  curl --silent --show-error --fail-with-body --max-time 3 \
    --cacert "$ETCD_PKI/ca.crt" --cert "$ETCD_PKI/healthcheck-client.crt" --key "$ETCD_PKI/healthcheck-client.key" \
    --data "$3" "$1$2" </dev/null
}
