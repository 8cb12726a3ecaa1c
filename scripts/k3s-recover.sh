# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # the header and lib.sh set what is read here
#
# Makes of this server an etcd of one member when the majority is lost: from its own data, or from a snapshot. Until
# etcd is proven whole k3s does not start, whatever ends this run; a later run goes on from where this one was cut short.
#   check   {"phase","members","data","source","recoveredAt","bumped","kept"}; members is 0 without a quorum; see recovery/state.sh for the phases
#   fence   on another server: k3s ends and does not start again, not at a boot either
#   reach   {"answering"}: which of PEERS this machine reaches
#   finish  notes that nothing is left to do
# Variables: SNAPSHOT (path on this machine of a snapshot, or of one of Triad's backups; empty for the server's own data),
#   PEERS (reach).
#
# @see https://docs.k3s.io/cli/etcd-snapshot, https://github.com/k3s-io/k3s/blob/master/pkg/etcd/etcd.go (Reset)
#
# part: k3s/service.sh
# part: recovery/state.sh
# part: k3s-recover/reset.sh

EXTRA_VERBS="fence finish reach"
readonly AGAIN="run make recover again"

ensure() {
  local source unpacked=''
  umask 077
  refuse_missing_snapshot
  source=$(wanted_source)
  [[ $(read_phase) != none ]] || refuse_what_cannot_work
  go_on_with "$source"
  [[ $(read_phase) != closing ]] || close_server
  if [[ $(read_phase) == copied ]]; then
    reset
    proven
    changed=true
  fi
  serve
  report
}

check() { report; }

has_data() { holds_member "$DB/etcd"; }

refuse_what_cannot_work() {
  has_unit k3s ||
    fail "this machine has no k3s.service" "only a server can be recovered" "name a machine that was a server"
  [[ $(datastore) != sqlite ]] ||
    fail "this server keeps its data in SQLite" "it has no quorum to lose, and its etcd would begin empty" \
      "see journalctl -u k3s; docs/restore-k3s.md says how a backup of SQLite is put back"
  if [[ -z ${SNAPSHOT:-} ]] && ! has_data; then
    fail "there is no whole etcd in $DB/etcd" "this server has no data of its own to go on with, and would begin an empty cluster" \
      "name another server, or a snapshot: SNAPSHOT=<path>"
  fi
  refuse_server_elsewhere
  refuse_too_little_space "$DB"
}

close_server() {
  info "stopping k3s; pods go on"
  install_file "$CLOSED" 0600 <<<"$(date -u +%FT%TZ)"
  install_file "$KEEP_OUT" 0644 <<<"# Written by Triad: no quorum; this server does not start until its etcd is whole again (make recover).
[Unit]
ConditionPathExists=!/var/lib/triad/recovery/closed"
  systemctl daemon-reload
  stop_server "$AGAIN"
  info "keeping a copy of what it holds in $(kept)"
  copy_whole "$(kept)/etc" "$K3S_ETC"
  copy_whole "$(kept)/server" "$K3S_DATA"/server/{token,node-token,agent-token,tls,cred} "$DB/etcd"
  write_phase copied
  changed=true
}

serve() {
  rm -f "$CLOSED" "$KEEP_OUT"
  systemctl daemon-reload
  server_up 0 >/dev/null 2>&1 && return
  info "starting k3s"
  start_server start
  wait_for 300 "the API to be ready" server_up 0 ||
    fail "k3s is not ready: $last_seen" "the cluster is not served yet" \
      "see journalctl -u k3s on this machine, then $AGAIN: it goes on from here"
}

fence() {
  has_unit k3s || return 0
  info "k3s is kept from starting on this machine: the cluster goes on without it"
  install_file "$LEAVING" 0600 <<<"$(date -u +%FT%TZ)"
  install_file "$STAY_OUT" 0644 <<<"# Written by Triad: this server leaves its cluster.
[Unit]
ConditionPathExists=!/var/lib/triad/leaving
[Service]
Restart=no"
  systemctl daemon-reload
  stop_server "$AGAIN"
  changed=true
}
