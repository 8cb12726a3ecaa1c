# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # the header and lib.sh set what is read here
#
# Makes this machine a server of a living cluster. An agent of the same cluster becomes one in place: its unit is
# exchanged, its containers, images, data and node password stay; where it cannot join, it is an agent again.
#   check  whether it became one by this script: then it may leave again
#   halt   ends a server that is not one yet, so that its member can be removed and does not come back
# Variables: CONFIG (text of Triad's file), TOKEN (the servers', secret), VERSION, AUDIT_POLICY (text, empty for none).
#
# part: k3s/service.sh
# part: k3s/agent.sh
# part: k3s/install.sh

EXTRA_VERBS=halt

check() {
  local joined=false
  [[ ! -f $TRIAD_DATA/joined ]] || joined=true
  result "{\"joined\":$joined}"
}

halt() {
  has_unit k3s || return 0
  stop_server "run pulumi up again"
  changed=true
}

ensure() {
  require CONFIG TOKEN VERSION
  if [[ -f $TRIAD_DATA/joined ]] && server_up 0 >/dev/null 2>&1; then
    info "this machine has already joined"
    result '{"changed":false}'
    return
  fi
  require_version
  require_same_cluster
  ! has_unit k3s || stop_server "run pulumi up again"
  rm -f "$TRIAD_DATA/seen-as-voter" "$LEAVING" "$STAY_OUT"
  # Before the join: a run that is cut off after it must not take this server for one that was there before Triad.
  install_file "$TRIAD_DATA/joined" 0600 <<<"k3s $VERSION"
  if has_unit k3s-agent; then set_agent_aside; fi
  move_aside "$K3S_DATA/server" "$TRIAD_DATA/half-join/$(date +%Y%m%dT%H%M%S)"
  write_config "$CONFIG"
  write_audit_policy "${AUDIT_POLICY:-}"
  write_server_unit
  write_server_environment "$TOKEN"
  systemctl daemon-reload
  systemctl enable k3s
  info "joining as a server, k3s $VERSION"
  start_server start
  wait_for 420 "k3s to join and be ready" joined_or_hopeless || true
  server_up 0 >/dev/null 2>&1 || give_up
  result '{"changed":true}'
}

# Keeps in mind, outside of wait_for's subshells, whether etcd has ever counted this machine as a voter.
joined_or_hopeless() {
  local status
  status=$(etcd_call /v3/maintenance/status '{}' 2>/dev/null) || true
  if [[ $status == *'"member_id"'* && $status != *'"isLearner":true'* ]]; then
    touch "$TRIAD_DATA/seen-as-voter"
  fi
  up_or_hopeless 0
}

# The token begins with the hash of the cluster's certificate authority.
require_same_cluster() {
  local wanted file
  [[ $TOKEN =~ ^K10([0-9a-f]{64}):: ]] || return 0
  wanted=${BASH_REMATCH[1]}
  for file in "$K3S_DATA/agent/server-ca.crt" "$K3S_DATA/server/tls/server-ca.crt"; do
    [[ -f $file && $(sha256sum <"$file") != "$wanted "* ]] || continue
    # What an earlier life left behind is moved aside; what lives is somebody's.
    if [[ $file == */agent/* ]] && has_unit k3s-agent || systemctl is-active --quiet k3s; then
      fail "this machine belongs to another k3s cluster: $file is not of the one that it shall join" \
        "its workloads, and its cluster's data where it is a server, would be lost" \
        "remove k3s from it by hand, or take it off triad:servers"
    fi
  done
}

# No member counts on this machine: it goes back to what it was, and its caller removes the learner.
give_up() {
  local why said
  why=$(reason)
  said=$(last_complaint)
  if [[ -f $TRIAD_DATA/seen-as-voter ]]; then
    fail "k3s joined as a voter of etcd, but its API is not ready; it said last: ${said:-nothing}" \
      "etcd counts on this machine now, so it is not put back" \
      "see journalctl -u k3s on this machine; it keeps trying, then run pulumi up again"
  fi
  forget_half_join
  if [[ -n $why ]]; then
    fail "${why%|*}" "the machine is no server yet; the others run on" "${why##*|}, then run pulumi up again"
  fi
  fail "k3s did not join within 420 s; it said last: ${said:-nothing}" \
    "the machine is no server yet; the others run on" \
    "see journalctl -u k3s on this machine, then run pulumi up again"
}
