# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# What a conversion needs; all of it is looked at before anything is touched.

refuse_what_cannot_work() {
  [[ $(k3s_state) == active ]] ||
    fail "k3s.service is not active on this machine" "only a cluster that works is converted" \
      "see systemctl status k3s, start it, then run pulumi up again"
  if names_external_datastore; then
    fail "k3s is told to use a datastore of its own choice (datastore-endpoint)" \
      "only SQLite becomes etcd; beside a datastore-endpoint cluster-init makes an empty cluster" \
      "see https://docs.k3s.io/datastore/ha for more servers on that datastore"
  fi
  [[ -e $DB/state.db ]] ||
    fail "there is no SQLite datastore in $DB" "it is what is converted" \
      "a data-dir of another name is not supported; see journalctl -u k3s for what it uses"
  if [[ -e $DB/etcd ]]; then
    fail "$DB/etcd lies beside the SQLite datastore, from an earlier attempt" \
      "at its next start k3s would take that etcd and leave out all that is in SQLite" \
      "see that SQLite is the living one (ls -l $DB: its files are new), then: mv $DB/etcd /root/stale-etcd; run pulumi up again"
  fi
  refuse_missing_policy
  refuse_too_little_space
}

# The API server ends at once where it is told of a policy that is not there.
refuse_missing_policy() {
  local path
  path=$(sed -n 's/.*audit-policy-file=\([^"'"'"' ]*\).*/\1/p' <<<"$CONFIG" | head -n 1)
  [[ -z $path || -e $ROOT$path ]] ||
    fail "$path is missing on this machine" "the API server would not start with the flag that names it" \
      "see triad:apiServer.auditPolicyFile, then run pulumi up again"
}

# A database that can't be read now could not be compared either, once k3s is stopped.
refuse_damaged_sqlite() {
  local said
  said=$(timeout 600 sqlite3 -readonly -cmd '.timeout 10000' "$DB/state.db" \
    'SELECT name, deleted, value FROM kine LIMIT 0; PRAGMA quick_check(1);' 2>&1 </dev/null) || true
  [[ $said == ok ]] ||
    fail "SQLite does not find $DB/state.db in order: ${said:0:200}" "k3s would copy what is left of it" \
      "stop k3s and mend it (sqlite3 state.db .recover), or go back to a backup; then run pulumi up again"
}

# The names only: the value may hold a password.
names_external_datastore() {
  local unit=$UNITS/k3s.service
  unit_lines k3s | grep -q -- '--datastore-endpoint' ||
    grep -qs '^K3S_DATASTORE_ENDPOINT=.' "$unit.env" "$ROOT/etc/default/k3s" "$ROOT/etc/sysconfig/k3s" ||
    grep -qsE "^[\"']?datastore-endpoint[\"']?\+?:" "$K3S_ETC/config.yaml" "$K3S_ETC"/config.yaml.d/*.yaml
}

# The cold copy, one to compare with, and etcd's own files with its two logs of 64 MB.
refuse_too_little_space() {
  local bytes=0 file needed free place
  for file in "$DB/state.db" "$DB/state.db-wal"; do
    [[ ! -e $file ]] || bytes=$((bytes + $(stat -c %s "$file")))
  done
  needed=$((bytes * 3 / 1048576 + 512))
  mkdir -p "${CONVERSION%/*}"
  for place in "$DB" "${CONVERSION%/*}"; do
    free=$(($(df --output=avail -k "$place" | tail -n 1) / 1024))
    ((free >= needed)) ||
      fail "$place has $free MiB free, and a conversion needs up to $needed MiB" \
        "a full disk in the middle would stop it" "make room there, then run pulumi up again"
  done
}
