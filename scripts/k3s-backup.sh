# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Writes on this server all that is needed to go back: its datastore, token, certificates and keys, k3s's configuration.
# Variables: LABEL (a file name's part), NODE_ADDRESS.
#
# part: k3s/service.sh

readonly DIRECTORY=$ROOT/var/lib/triad/backups

ensure() {
  require LABEL
  local work=$DIRECTORY/.$LABEL archive=$DIRECTORY/$LABEL.tar.gz store
  umask 077
  mkdir -p "$DIRECTORY"
  rm -rf "$work"
  mkdir "$work"
  trap 'rm -rf "$DIRECTORY/.$LABEL"' EXIT
  store=$(datastore_in_use)
  case $store in
    sqlite) copy_sqlite "$work" ;;
    etcd) take_snapshot "$work" ;;
    *)
      fail "this server has neither SQLite nor etcd in $K3S_DATA/server/db" "nothing is touched without a backup" \
        "a datastore of its own is backed up by its own means; Triad handles SQLite and etcd"
      ;;
  esac
  copy_files "$work"
  tar -C "$work" -czf "$archive.part" .
  sync "$archive.part"
  mv "$archive.part" "$archive"
  info "backup written to $archive ($store)"
  result "{\"path\":$(json_string "$archive"),\"bytes\":$(stat -c %s "$archive"),\"sha256\":\"$(sha256sum "$archive" | cut -d' ' -f1)\",\"datastore\":\"$store\"}"
}

# With both there k3s runs on etcd if it was started since that came; a stale one is refused before a conversion.
datastore_in_use() {
  local store
  store=$(datastore)
  if [[ $store == sqlite && -d $K3S_DATA/server/db/etcd/member/wal ]] && etcd_answers; then store=etcd; fi
  printf '%s' "$store"
}

etcd_answers() { etcd_call /v3/maintenance/status '{}' >/dev/null 2>&1; }

# VACUUM INTO reads it all in one go, with its log. `.backup` starts anew whenever k3s writes, which is all the time.
copy_sqlite() {
  local said
  ensure_packages sqlite3
  info "copying SQLite while k3s runs"
  said=$(timeout 1800 sqlite3 -bail -cmd '.timeout 10000' "$K3S_DATA/server/db/state.db" \
    "VACUUM INTO '$1/state.db'; ATTACH '$1/state.db' AS copy; PRAGMA copy.quick_check(1);" 2>&1 </dev/null) || true
  [[ $said == ok ]] ||
    fail "SQLite gave no sound copy: ${said:0:200}" "nothing is touched without a backup" \
      "see that $K3S_DATA/server/db/state.db is whole and the disk has room"
}

# A directory of its own: scheduled snapshots and their retention are left alone.
take_snapshot() {
  local said
  info "taking a snapshot of etcd"
  install -d -m 0700 "$1/snapshot"
  said=$(timeout 600 k3s etcd-snapshot save --name triad --dir "$1/snapshot" 2>&1 </dev/null) ||
    fail "k3s gave no snapshot: $(tail -n 3 <<<"$said" | without_secrets)" "nothing is touched without a backup" \
      "see journalctl -u k3s on this server"
  [[ -n $(find "$1/snapshot" -type f -size +0) ]] ||
    fail "k3s took a snapshot, but not into $1/snapshot" "nothing is touched without a backup" \
      "see k3s etcd-snapshot ls on this server"
}

without_secrets() { sed -E 's/K10[0-9a-f]{16,}\S*/(token)/g; s#://[^:/@ ]+:[^@ ]+@#://(user)@#g'; }

copy_files() {
  local path
  for path in var/lib/rancher/k3s/server/{token,node-token,agent-token,tls,cred,manifests} etc/rancher/k3s etc/rancher/node \
    etc/systemd/system/k3s.service{,.d,.env} etc/default/k3s etc/sysconfig/k3s; do
    [[ -e $ROOT/$path || -L $ROOT/$path ]] || continue
    mkdir -p "$1/files/${path%/*}"
    cp -a "$ROOT/$path" "$1/files/$path"
  done
}
