# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# etcd's members as this server's own member sees them, and how that one is: the other members' state has to be asked
# on their own machines.
#   status        this member's own state and nothing else
#   move-leader   runs on the leader's machine: only the leader takes this call
#   hide          takes back the lease by which an API server, at ADDRESS, is among those of the Service `kubernetes`
# Variables: MEMBER_ID (remove, move-leader), a decimal string; ADDRESS (hide).
#
# part: k3s/service.sh

EXTRA_VERBS="status move-leader hide"

# The answer is the gateway's own JSON: the list is asked linearizably, so it is never a minority's memory.
check() {
  local members status url
  if [[ $(datastore) != etcd ]]; then
    result "{\"datastore\":\"$(datastore)\",\"list\":null,\"status\":{}}"
    return
  fi
  members=$(etcd_call /v3/cluster/member/list '{"linearizable":true}')
  status=$(own_status)
  url=$(client_url "$members" "$(sed -n 's/.*"member_id":"\([0-9]*\)".*/\1/p' <<<"$status")")
  result "{\"datastore\":\"etcd\",\"list\":$members,\"status\":{$(json_string "$url"):$status}}"
}

remove() {
  etcd_call /v3/cluster/member/remove "{\"ID\":\"$MEMBER_ID\"}" >/dev/null
  result '{"changed":true}'
}

move-leader() {
  etcd_call /v3/maintenance/transfer-leadership "{\"targetID\":\"$MEMBER_ID\"}" >/dev/null
  result '{"changed":true}'
}

hide() {
  local key
  key=$(printf '/registry/masterleases/%s' "$ADDRESS" | base64 --wrap=0)
  etcd_call /v3/kv/deleterange "{\"key\":\"$key\"}" >/dev/null
  result '{"changed":true}'
}

status() { result "{\"status\":$(own_status)}"; }

own_status() { etcd_call /v3/maintenance/status '{}' 2>/dev/null || printf null; }

# client_url LIST ID
client_url() {
  tr '{' '\n' <<<"$1" | sed -n "s/.*\"ID\":\"$2\".*\"clientURLs\":\[\"\([^\"]*\)\".*/\1/p"
}
