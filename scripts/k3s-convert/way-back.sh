# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Back to SQLite, where the copy is not proven.

# SQLite in service, as before the conversion; k3s is restarted only where it does not run on it already.
settle_on_sqlite() {
  info "an earlier conversion was cut short: putting all back as it was"
  if ! k3s_runs || [[ -e $DB/etcd ]]; then
    go_back
  else
    take_away_all
  fi
}

take_away_all() {
  restore_configuration
  remove_guard
  rm -f "$CONVERSION/phase"
  sync "$CONVERSION"
  changed=true
}

go_back() {
  write_phase going-back
  stop_k3s || fail "k3s does not stop" "its datastore cannot be exchanged while it runs" \
    "systemctl kill -s KILL k3s; run pulumi up again"
  put_sqlite_back || fail "SQLite could not be put back" "k3s stays stopped rather than serve half a cluster" \
    "see the lines above; docs/restore-k3s.md says how to do it by hand from $COLD"
  take_away_all
  start_k3s
  wait_for 300 "the API to be ready on SQLite again" api_answers ||
    fail "k3s is back on SQLite, but its API is not ready: $last_seen" "the cluster is not served" \
      "see journalctl -u k3s; the copy of SQLite is in $COLD"
  info "k3s serves from SQLite again, as before"
}

# abandon SEEN CURE: the way back, then the reason
abandon() {
  k3s_said "$stopped_at"
  in_danger=false
  info "$1: going back to SQLite"
  go_back
  fail "$1" "the cluster was not converted; it serves from SQLite again, with all that was in it (what etcd held is in $CONVERSION/failed-*)" "$2"
}

# However this run ends, k3s is not left in between.
leave() {
  [[ $in_danger == true ]] || return 0
  in_danger=false
  info "stopped in the middle of a conversion: going back to SQLite"
  go_back
}
