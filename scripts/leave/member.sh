# shellcheck shell=bash
# shellcheck disable=SC2154 # set in lib.sh and the header
#
# A part of the scripts by which a server leaves; they have etcd_call.

# Its caller has removed the member. Where etcd still counts on this machine, that did not happen: cleaning it could cost the
# cluster its quorum, or all there is of it.
refuse_a_member() {
  wait_for "${MEMBER_SECONDS:-20}" "etcd's members to be without this machine" no_member ||
    fail "this machine is still a member of etcd: $last_seen" "the cluster counts on it" \
      "remove its member first; a cluster's last server is only wiped on purpose (triad:onDestroy, triad:wipe)"
}

# A member that was removed ends, so one that answers for its own place in the list is none.
no_member() {
  local list own
  list=$(etcd_call /v3/cluster/member/list '{"linearizable":true}' 2>/dev/null) || return 0
  own=$(sed -n 's/.*"member_id":"\([0-9]*\)".*/\1/p' <<<"$list")
  printf 'it answers for the member %s' "${own:-without a number}"
  [[ -n $own && $list != *"\"ID\":\"$own\""* ]]
}
