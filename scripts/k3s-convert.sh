# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Converts this k3s server from SQLite to etcd, under guard: half a copy is never served, whatever ends this run, and
# what cannot be proven goes back to SQLite by itself.
#   ensure   converts, or goes on from where an earlier run was cut short
#   restore  takes away what an unfinished conversion left, with SQLite in service
#   finish   notes that nothing is left to do
#   check    {"phase","datastore","active","staleEtcd","convertedAt","coldCopy"}
# Variables: CONFIG (text of Triad's file of k3s's configuration, with cluster-init: true), COPY_LIMIT (seconds that
#   k3s may take to copy, default 1800).
#
# @see https://github.com/k3s-io/k3s/blob/master/pkg/etcd/etcd.go (migrateFromSQLite)
#
# part: k3s/service.sh
# part: k3s-convert/guard.sh
# part: k3s-convert/units.sh
# part: k3s-convert/preconditions.sh
# part: k3s-convert/comparison.sh
# part: k3s-convert/way-back.sh

EXTRA_VERBS="restore finish"
# Whether k3s is stopped or copies: then this run leaves only with SQLite or with a proven copy.
in_danger=false
stopped_at=

ensure() {
  require CONFIG
  umask 077
  conversion_places
  trap leave EXIT
  case $(read_phase) in
    copied | done) [[ ! -e $ROOT$GUARD ]] || prove_served ;;
    copying)
      if copy_is_whole; then
        prove_late
      else
        settle_on_sqlite
        convert
      fi
      ;;
    going-back | put-back)
      settle_on_sqlite
      convert
      ;;
    *) convert ;;
  esac
  report
}

restore() {
  umask 077
  conversion_places
  case $(read_phase) in
    none) ;;
    copied | done)
      fail "this server was converted and has served from etcd since" \
        "going back to SQLite would lose what was written since" \
        "docs/restore-k3s.md says how to do it by hand"
      ;;
    *)
      # What k3s may have served from etcd is in etcd alone: there is no way back from here, only on.
      if [[ $(read_phase) == copying ]] && copy_is_whole; then prove_late; else settle_on_sqlite; fi
      ;;
  esac
  report
}

finish() {
  conversion_places
  [[ $(read_phase) == copied ]] ||
    fail "the conversion is not at the point where it could be finished ($(read_phase))" \
      "a later run would not go on with it" "run pulumi up again"
  write_phase "done"
  changed=true
}

check() {
  conversion_places
  report
}

report() {
  local datastore=none stale=false at=null cold=null
  [[ ! -e $DB/state.db ]] || datastore=sqlite
  if etcd_is_there; then
    [[ $datastore == none || $(read_phase) != none ]] || stale=true
    datastore=etcd
  fi
  [[ ! -s $CONVERSION/converted-at ]] || at=$(<"$CONVERSION/converted-at")
  # shellcheck disable=SC2153 # set by conversion_places
  [[ ! -e $COLD/complete ]] || cold=$(json_string "$COLD")
  result "{\"phase\":\"$(read_phase)\",\"datastore\":\"$datastore\",\"active\":$(truth k3s_runs),\"staleEtcd\":$stale,\"convertedAt\":$at,\"coldCopy\":$cold,\"changed\":$changed}"
}

convert() {
  refuse_what_cannot_work
  ensure_packages sqlite3 curl
  refuse_damaged_sqlite
  info "putting the guard in place"
  keep_earlier_copy
  install_guard
  changed=true
  # What the system still holds in memory is written now, so that the copy after the stop has little to wait for.
  timeout 60 sync -f "$DB" || true
  in_danger=true
  stopped_at=$(date +%s)
  info "stopping k3s; pods go on"
  stop_k3s || abandon "k3s did not stop within 180 s" "see journalctl -u k3s"
  take_cold_copy
  [[ $(read_phase) == copying ]] || abandon "somebody else started k3s meanwhile" "see journalctl -u k3s"
  date +%s >"$CONVERSION/converted-at"
  install -d -m 0755 "${PERMIT%/*}"
  touch "$PERMIT"
  info "starting k3s, which copies SQLite to etcd"
  start_k3s
  rm -rf "$ROOT$WORK"
  read_sqlite &
  local reader=$!
  await_copy
  note_revision
  wait "$reader" || abandon "the cold copy of SQLite in $COLD could not be read" "see the lines above"
  prove
  write_phase copied
  wait_for 300 "the API to be ready on etcd" api_answers ||
    abandon "the API was not ready on etcd within 300 s: $last_seen" "see the lines of k3s above"
  in_danger=false
  remove_guard
  info "SQLite as it was is kept in $COLD and in $DB/state.db.migrated; Triad deletes neither"
}

# An earlier attempt's copy is old by now, and may be all that somebody has.
keep_earlier_copy() {
  [[ ! -e $COLD ]] || mv -T "$COLD" "$COLD-$(date -r "$COLD" +%Y%m%dT%H%M%S)"
}

take_cold_copy() {
  local file
  install -d -m 0700 "$COLD"
  for file in state.db state.db-wal state.db-shm; do
    [[ ! -e $DB/$file ]] || cp -p --reflink=auto "$DB/$file" "$COLD/"
  done
  sync "$COLD"/*
  : >"$COLD/complete"
  sync "$COLD/complete" "$COLD" "$CONVERSION"
}

# The rename is put on the disk before the API can have served from etcd: a power cut must not undo it later.
await_copy() {
  local deadline=$((SECONDS + ${COPY_LIMIT:-1800})) begun=false
  until [[ ! -e $DB/state.db && -e $DB/state.db.migrated ]]; do
    # The start was only asked for: until systemd gets to it the unit is as it was.
    if k3s_runs; then begun=true; fi
    [[ $(k3s_state) != failed && ($begun == false || $(k3s_state) != inactive) ]] ||
      abandon "k3s ended while it copied SQLite to etcd" "see the lines of k3s above"
    ((SECONDS <= deadline)) ||
      abandon "k3s did not copy SQLite to etcd within ${COPY_LIMIT:-1800} s" "see the lines of k3s above"
    sleep 0.1
  done
  sync "$DB"
  info "k3s has copied SQLite; comparing each value"
}

# Normally before the API serves: what it writes afterwards is told apart by version and revision.
prove() {
  read_etcd
  compare
  ((differing == 0)) ||
    abandon "$differing of $compared keys differ between SQLite and etcd: $differences" \
      "report it to k3s with the version that runs here"
  tell_proof
}

# The API has served from etcd since: nothing goes back by itself any more.
prove_late() {
  info "k3s had copied all of SQLite when an earlier run was cut short: going on from there"
  serve
  ensure_packages sqlite3 curl
  rm -rf "$ROOT$WORK"
  read_sqlite
  note_revision
  read_etcd
  compare
  ((differing == 0)) ||
    fail "$differing of $compared keys differ between SQLite and etcd: $differences" \
      "they were not copied as they were; but k3s has served from etcd since, and going back would lose what was written" \
      "mend these objects from the copy in $COLD, then: echo copied > $CONVERSION/phase; or go back as docs/restore-k3s.md says"
  tell_proof
  write_phase copied
  remove_guard
  changed=true
}

tell_proof() {
  info "$((compared - unproven)) of $compared keys are in etcd with the values that SQLite had"
  ((unproven == 0)) || info "$unproven have been changed or deleted since, and could not be compared"
}

# Compared, and then cut short before the API was seen to be ready.
prove_served() {
  serve
  remove_guard
}

serve() {
  k3s_runs || start_k3s
  wait_for 300 "the API to be ready on etcd" api_answers ||
    fail "the API is not ready: $last_seen" "the conversion cannot be finished" "see journalctl -u k3s"
}
