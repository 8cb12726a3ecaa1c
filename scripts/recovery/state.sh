# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# A part of k3s-recover.sh and kubeadm-recover.sh: how far a recovery has come, from what, and what it keeps. A run that is
# cut short at any point is gone on with by the next one.

readonly RECOVERY="$ROOT/var/lib/triad/recovery"
readonly SOURCE="$RECOVERY/source"
readonly SNAPSHOT_FILE="$RECOVERY/snapshot"
# An attempt at etcd's data has begun, so that these are no longer what the cold copy was made of.
readonly ATTEMPTED="$RECOVERY/attempted"

# none      no recovery is under way
# closing   the server is stopped and kept from starting; the cold copy is not whole yet
# copied    the cold copy is whole; etcd's data may be anything, and the server is kept from starting
# serving   etcd is proven to be one member with its data: the API may run, and nothing goes back by itself any more
read_phase() { cat "$RECOVERY/phase" 2>/dev/null || echo none; }

write_phase() {
  printf '%s\n' "$1" >"$RECOVERY/.phase"
  sync "$RECOVERY/.phase"
  mv -f "$RECOVERY/.phase" "$RECOVERY/phase"
  sync "$RECOVERY"
}

# Where the cold copy of this recovery lies.
kept() { cat "$RECOVERY/kept" 2>/dev/null || true; }

# begin SOURCE: from here on the recovery is to be brought to its end
begin() {
  install -d -m 0700 "$RECOVERY"
  rm -f "$ATTEMPTED" "$RECOVERY/recovered-at" "$RECOVERY/bumped"
  printf '%s/%s\n' "$RECOVERY" "$(date +%Y%m%dT%H%M%S)" >"$RECOVERY/kept"
  printf '%s\n' "$1" >"$SOURCE"
  sync "$RECOVERY/kept" "$SOURCE" "${RECOVERY%/*}"
  write_phase closing
}

# From what etcd's data come: the survivor's own, or a snapshot, which its sum names wherever it lies.
wanted_source() {
  local sum
  if [[ -z ${SNAPSHOT:-} ]]; then
    printf 'own data'
    return
  fi
  sum=$(sha256sum <"$ROOT$SNAPSHOT")
  printf 'snapshot %s' "${sum%% *}"
}

# go_on_with SOURCE: the phase from which this run goes on; the source may be another than the one of a failed attempt
go_on_with() {
  case $(read_phase) in
    closing | copied)
      [[ $(<"$SOURCE") == "$1" ]] || info "an earlier attempt was to recover from its $(<"$SOURCE"); now it is $1"
      printf '%s\n' "$1" >"$SOURCE"
      ;;
    serving)
      [[ $(<"$SOURCE") != "$1" ]] || return 0
      if has_quorum; then
        fail "this server has been recovered from $(<"$SOURCE") and serves since" \
          "another recovery would take away what was written since" \
          "run make recover as before to finish it; going further back is done by hand, see docs/restore.md"
      fi
      begin "$1"
      ;;
    *) begin "$1" ;;
  esac
}

# unpack_snapshot PATTERN: the snapshot as the restore takes it; of one of Triad's backups the member that matches
unpack_snapshot() {
  local from=$ROOT$SNAPSHOT member='' suffix=''
  rm -f "$SNAPSHOT_FILE" "$SNAPSHOT_FILE.zip"
  case $(head -c 2 "$from" | od -An -tx1 | tr -d ' ') in
    1f8b)
      member=$(tar -tzf "$from" | grep -E "$1" | head -n 1) || true
      [[ -n $member ]] ||
        fail "$SNAPSHOT has no snapshot of etcd in it" "there is nothing to recover from" \
          "name a backup that was taken when the cluster ran on etcd, or a snapshot itself"
      [[ $member != *.zip ]] || suffix=.zip
      tar -xzOf "$from" "$member" >"$SNAPSHOT_FILE$suffix.part"
      ;;
    504b)
      suffix=.zip
      cp "$from" "$SNAPSHOT_FILE.zip.part"
      ;;
    *) cp "$from" "$SNAPSHOT_FILE.part" ;;
  esac
  sync "$SNAPSHOT_FILE$suffix.part"
  mv -f "$SNAPSHOT_FILE$suffix.part" "$SNAPSHOT_FILE$suffix"
  unpacked=$SNAPSHOT_FILE$suffix
}

refuse_missing_snapshot() {
  [[ -z ${SNAPSHOT:-} || -s $ROOT$SNAPSHOT ]] ||
    fail "$SNAPSHOT is not on this machine, or is empty" "there is nothing to recover from" \
      "give the path of a snapshot, or of one of Triad's backups, on your computer or on this machine"
}

# refuse_too_little_space FOLDER: a copy of it, the data anew, and etcd's two logs of 64 MB
refuse_too_little_space() {
  local needed free place
  needed=$(($(du -sm "$1" 2>/dev/null | cut -f1 || echo 0) * 3 + 256))
  mkdir -p "$RECOVERY"
  for place in "${1%/*}" "$RECOVERY"; do
    free=$(($(df --output=avail -k "$place" | tail -n 1) / 1024))
    ((free >= needed)) ||
      fail "$place has $free MiB free, and a recovery needs up to $needed MiB" \
        "a full disk in the middle would stop it" "make room there, then run make recover again"
  done
}

# copy_whole FOLDER PATH...: each that is there, and on the disk before its name says that it is whole
copy_whole() {
  local folder=$1 path
  shift
  [[ ! -d $folder ]] || return 0
  rm -rf "$folder.part"
  install -d -m 0700 "$folder.part"
  for path in "$@"; do
    [[ ! -e $path ]] || cp -a --reflink=auto "$path" "$folder.part/"
  done
  sync -f "$folder.part"
  mv -T "$folder.part" "$folder"
  sync "${folder%/*}"
}

# replace_data FOLDER COPY: FOLDER becomes what COPY is
replace_data() {
  [[ -d $2 ]] ||
    fail "this server had no data of its own when the recovery began" "there is nothing else to go on with" \
      "recover from a snapshot: SNAPSHOT=<path>"
  rm -rf "$1.triad"
  cp -a --reflink=auto "$2" "$1.triad"
  sync -f "$1.triad"
  rm -rf "$1"
  mv -T "$1.triad" "$1"
  sync "${1%/*}"
}

# The machine's part is done but for the API: from now on nothing takes etcd's data back.
proven() {
  date +%s >"$RECOVERY/recovered-at"
  sync "$RECOVERY/recovered-at"
  write_phase serving
}

# Nothing is left to do; the cold copy stays.
finish() {
  [[ $(read_phase) != none ]] || return 0
  [[ $(read_phase) == serving ]] ||
    fail "the recovery has come no further than \"$(read_phase)\"" "the server does not serve yet" "run make recover again"
  rm -f "$RECOVERY/phase"
  rm -rf "$SOURCE" "$SNAPSHOT_FILE" "$SNAPSHOT_FILE.zip" "$ATTEMPTED" "$RECOVERY/recovered-at" "$RECOVERY/bumped" \
    "$RECOVERY/kept" "$RECOVERY/brought"
  sync "$RECOVERY"
  changed=true
}

# holds_member FOLDER: etcd's data are whole; where its log is missing, etcd begins an empty cluster and says nothing
holds_member() { compgen -G "$1/member/wal/*.wal" >/dev/null && [[ -s $1/member/snap/db ]]; }

has_quorum() { [[ $(members) != 0 ]]; }

# How many etcd has, as a majority says; 0 where there is none.
members() {
  local list
  list=$(etcd_call /v3/cluster/member/list '{"linearizable":true}' 2>/dev/null) || true
  { grep -o '"ID":' <<<"$list" || true; } | wc -l
}

# One line for callers.
report() {
  local at=null where=null
  [[ ! -s $RECOVERY/recovered-at ]] || at=$(<"$RECOVERY/recovered-at")
  [[ -z $(kept) ]] || where=$(json_string "$(kept)")
  result "{\"changed\":$changed,\"phase\":\"$(read_phase)\",\"members\":$(members),\"data\":$(truth has_data),\"source\":$(json_string "$(cat "$SOURCE" 2>/dev/null)"),\"recoveredAt\":$at,\"bumped\":$(truth test -e "$RECOVERY/bumped"),\"kept\":$where}"
}

# without_secrets <text: what a program said, for people
without_secrets() { sed -E 's/K10[0-9a-f]{16,}\S*/(token)/g; s#://[^:/@ ]+:[^@ ]+@#://(user)@#g; s/(token|password|secret)([=:" ]+)[^ ",}]+/\1\2(hidden)/Ig'; }

# Which of PEERS (address:port, blank-separated) this machine reaches: an operator may be cut off from what still runs.
reach() {
  local peer separator='' list=''
  for peer in ${PEERS:-}; do
    timeout 3 bash -c "</dev/tcp/${peer%:*}/${peer##*:}" 2>/dev/null || continue
    list+="$separator$(json_string "$peer")"
    separator=,
  done
  result "{\"answering\":[$list]}"
}
