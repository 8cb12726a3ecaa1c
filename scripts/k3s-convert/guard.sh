# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Where things lie during a conversion, what they prove, and how SQLite comes back. k3s's guard is made of this part's
# functions as they stand, so they use nothing of lib.sh.

conversion_places() {
  DB=$ROOT/var/lib/rancher/k3s/server/db
  CONVERSION=$ROOT/var/lib/triad/conversion
  COLD=$CONVERSION/cold
  CONFIG_FILE=$ROOT/etc/rancher/k3s/config.yaml.d/50-triad.yaml
  # On a file system that a reboot empties: it lets k3s start once, and only for the run that made it.
  PERMIT=$ROOT/run/triad/convert-once
}

# none        no conversion is under way
# copying     k3s may hold half a copy; until the copy is proven whole, only SQLite is served
# copied      the copy was compared; what watched the API is still to be restarted
# going-back  SQLite comes back, whatever is found
# put-back    the guard brought SQLite back; Triad's files are still to be taken away
# done        nothing is left to do
read_phase() { cat "$CONVERSION/phase" 2>/dev/null || echo none; }

write_phase() {
  printf '%s\n' "$1" >"$CONVERSION/.phase"
  sync "$CONVERSION/.phase"
  mv -f "$CONVERSION/.phase" "$CONVERSION/phase"
  sync "$CONVERSION"
}

# k3s takes this folder for an etcd to start from, and then neither reads nor copies SQLite.
etcd_is_there() { [[ -d $DB/etcd/member/wal ]]; }

# k3s renames the file after it has put the last key, and etcd has each key on the disk before it says so.
copy_is_whole() { [[ ! -e $DB/state.db && -e $DB/state.db.migrated ]] && etcd_is_there; }

# Every step may be the last before a power cut; run again, it goes on. A state.db that is there is never replaced: it
# may have been written to since.
put_sqlite_back() {
  local aside file
  aside=$CONVERSION/failed-$(date +%Y%m%dT%H%M%S)
  if [[ -e $DB/etcd ]]; then
    mkdir -p "$aside"
    # First a rename in the same folder, which is one step even where the other folder is another file system.
    mv -T "$DB/etcd" "$DB/etcd.${aside##*/}" || return 1
    sync "$DB"
    mv -T "$DB/etcd.${aside##*/}" "$aside/etcd" || echo "left in $DB/etcd.${aside##*/}" >&2
  fi
  [[ ! -e $DB/state.db ]] || return 0
  if [[ ! -e $COLD/complete ]]; then
    echo "$DB/state.db is gone, and there is no whole copy of it in $COLD" >&2
    return 1
  fi
  mkdir -p "$aside"
  for file in state.db.migrated state.db-wal state.db-shm; do
    [[ ! -e $DB/$file ]] || mv "$DB/$file" "$aside/" || return 1
  done
  for file in state.db-wal state.db-shm; do
    [[ ! -e $COLD/$file ]] || cp -p --reflink=auto "$COLD/$file" "$DB/$file" || return 1
  done
  cp -p --reflink=auto "$COLD/state.db" "$DB/.state.db.triad" || return 1
  sync "$DB"/state.db-* "$DB/.state.db.triad" 2>/dev/null || sync
  # The name comes last: whoever sees it finds all of it.
  mv -f "$DB/.state.db.triad" "$DB/state.db" && sync "$DB"
}

# systemd runs it before every start of k3s while a conversion is unfinished; what it refuses is not served.
conversion_guard() {
  local permitted=false
  conversion_places
  [[ ! -e $PERMIT ]] || permitted=true
  rm -f "$PERMIT"
  case $(read_phase) in
    copying)
      if [[ $permitted == true && -e $DB/state.db && ! -e $DB/etcd ]]; then return 0; fi
      # The rename may have been the last thing before the power went; k3s served at most seconds from it, and those
      # writes are in etcd alone.
      if copy_is_whole; then return 0; fi
      ;;
    going-back) ;;
    *) return 0 ;;
  esac
  echo "the conversion to etcd was cut short: going on with SQLite" >&2
  put_sqlite_back || return 1
  # This start has the flags in Triad's file already, as systemd has read the unit: only cluster-init must go.
  if grep -qs '^cluster-init:' "$CONFIG_FILE"; then
    cp -p "$CONVERSION/back.yaml" "$CONFIG_FILE.triad" || return 1
    sync "$CONFIG_FILE.triad"
    mv -f "$CONFIG_FILE.triad" "$CONFIG_FILE" || return 1
    sync "${CONFIG_FILE%/*}"
  fi
  write_phase put-back
}

guard_text() {
  printf '#!/bin/bash\n# Installed by Triad for the time of a conversion from SQLite to etcd.\nset -u\nROOT=%q\n' "$ROOT"
  declare -f conversion_places read_phase write_phase etcd_is_there copy_is_whole put_sqlite_back conversion_guard
  printf 'conversion_guard\n'
}
