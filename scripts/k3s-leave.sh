# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # the header and lib.sh set what is read here
#
# Stops being a server. Each verb goes on from wherever an earlier run was cut off.
#   retire  k3s never starts again by itself: a removed member that starts joins again. It ends now, but for the last
#           other voter's sake: two voters must both live while one is removed
#   stay    takes that back, where its member was not removed after all
#   ensure  with its member out of the list: k3s ends, a cold copy of what it held is kept. A machine that was an agent
#           before is one again, with its containers and data; any other goes on as an agent if it is to, or is cleaned
#           of what joining brought
#   wipe    cleans the last server, whose member nobody can remove
#   check   whether it is a server still, has retired, and is, or will be once it has left, an agent
# Variables: BECOMES (worker; cleaned, also where it was an agent before; or empty), ENDPOINT (https://name:port; where a new agent reaches the API), MEMBER_SECONDS
#   (how long its etcd may take to see that it is no member any more, default 20).
#
# part: k3s/service.sh
# part: k3s/agent.sh
# part: k3s/install.sh
# part: k3s/demotion.sh
# part: k3s/cleaning.sh
# part: leave/member.sh
# part: leave/mounts.sh
# part: leave/network.sh

EXTRA_VERBS="retire stay wipe"

retire() {
  has_unit k3s || return 0
  local voters
  voters=$(voters)
  [[ $voters != 1 && $(datastore) != sqlite ]] ||
    fail "this machine is the only server of its cluster" "without it there is no cluster" \
      "a last server is only wiped on purpose (triad:onDestroy, triad:wipe)"
  if [[ ! -f $LEAVING ]]; then install_file "$LEAVING" 0600 <<<"$(date -u +%FT%TZ)"; fi
  # Masking would do the same, but a masked unit forgets that its containers are to go on.
  install_file "$STAY_OUT" 0644 <<<"# Written by Triad: this server leaves its cluster.
[Unit]
ConditionPathExists=!/var/lib/triad/leaving
[Service]
Restart=no"
  systemctl daemon-reload
  if ((voters == 2)); then
    info "k3s goes on until its member is removed: the other voter cannot remove it alone"
  else
    info "stopping k3s"
    stop_server "run this again"
  fi
  changed=true
}

stay() {
  # From the first step of `ensure` on only that knows what to do.
  if [[ ! -e $STAY_OUT && ! -e $LEAVING ]] || is_under_way; then return 0; fi
  remove_file "$STAY_OUT" "$LEAVING"
  systemctl daemon-reload
  # Nobody else would: it was retired to stay out.
  if [[ $(systemctl is-active k3s) != active ]]; then start_server start; fi
}

# 0 where etcd does not answer. One that is only slow is asked again: of two voters, ending one would end the API.
voters() {
  local list attempts=3 status=28
  # As curl says that time was up.
  while ((status == 28 && attempts-- > 0)); do
    status=0
    list=$(etcd_call /v3/cluster/member/list '{"linearizable":true}' 2>/dev/null) || status=$?
  done
  tr '{' '\n' <<<"$list" | grep '"ID":' | grep -vc '"isLearner":true' || true
}

ensure() {
  if ! is_server; then
    rm -f "$TRIAD_DATA/joined"
    result "{\"changed\":false,\"worker\":$(truth has_unit k3s-agent)}"
    return
  fi
  if ! is_under_way; then
    refuse_sqlite
    refuse_a_member
    if agent_is_kept && [[ ${BECOMES:-} != cleaned ]]; then BECOMES=agent; fi
  fi
  leave
}

wipe() {
  BECOMES=''
  if is_server; then leave; else result '{"changed":false,"worker":false}'; fi
}

# Also one whose leaving was cut off, by a Triad of today or one without a note of it.
is_server() {
  if has_unit k3s || [[ -f $LEAVING ]]; then return 0; fi
  ! has_unit k3s-agent && agent_is_kept
}

# What `ensure` noted before its first step: what the machine becomes, and where the cold copy lies.
is_under_way() { grep -qsE '^(agent|worker|cleaned) [0-9T]+$' "$LEAVING"; }

leave() {
  local becomes kept
  is_under_way || install_file "$LEAVING" 0600 <<<"${BECOMES:-cleaned} $(date +%Y%m%dT%H%M%S)"
  read -r becomes kept <"$LEAVING"
  kept="$TRIAD_DATA/left/$kept"
  if has_unit k3s; then
    stop_server "run this again"
    systemctl disable k3s 2>/dev/null || true
  fi
  keep_cold_copy "$kept"
  case $becomes in
    agent)
      forget_server_files
      forget_unit "$kept/unit"
      put_agent_back
      ;;
    worker)
      become_agent "$kept"
      forget_unit "$kept/unit"
      put_agent_back
      ;;
    *)
      forget_server_files
      forget_identity
      forget_unit "$KEPT_SERVER"
      forget_agent "$kept"
      clean_machine
      ;;
  esac
  forget_guards
  rm -f "$TRIAD_DATA/joined" "$TRIAD_DATA/seen-as-voter" "$TRIAD_DATA/config-pending"
  systemctl daemon-reload
  rm -f "$LEAVING"
  result "{\"changed\":true,\"worker\":$(truth test "$becomes" != cleaned)}"
}

refuse_sqlite() {
  [[ $(datastore) != sqlite || -f $TRIAD_DATA/joined ]] ||
    fail "this server keeps its cluster's data in SQLite" "no other server has them" \
      "a last server is only wiped on purpose (triad:onDestroy, triad:wipe)"
}

check() {
  local retired=false worker=false
  if [[ -e $STAY_OUT || -e $LEAVING ]]; then retired=true; fi
  if agent_is_kept || has_unit k3s-agent || grep -qsE '^(agent|worker) ' "$LEAVING"; then worker=true; fi
  result "{\"server\":$(truth is_server),\"retired\":$retired,\"worker\":$worker}"
}
