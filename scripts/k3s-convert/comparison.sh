# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Compares what SQLite held with what etcd got, key by key and value by value. It is done here and not on the operator's
# computer: values, Secrets among them, stay on the server; the verdict falls while k3s's API still starts; and it needs
# nobody's connection. perl-base is on every Debian and Ubuntu, sqlite3 comes with the conversion.

readonly WORK=/var/lib/triad/conversion/work
readonly PAGE=500

# Left out: what kine ends by itself while it is being copied, and what k3s keeps outside of /registry/ and writes anew.
readonly EXEMPT="name GLOB '/registry/events/*' OR name GLOB '/registry/masterleases/*'
  OR name = '/bootstrap' OR name GLOB '/bootstrap/*' OR name = 'compact_rev_key'"

# sql FILE: statements from standard input
sql() { sqlite3 -batch -bail -cmd 'PRAGMA synchronous = OFF' "$1"; }

# The last row of a name is what is there; kine keeps the older ones for watchers. Read from a copy: opening a database
# with a log writes to it, and the cold copy stays as it was.
read_sqlite() {
  local file
  mkdir -p "$ROOT$WORK"
  for file in "$COLD"/state.db*; do cp --reflink=auto "$file" "$ROOT$WORK/"; done
  sql "$ROOT$WORK/comparison.db" >/dev/null <<SQL
PRAGMA journal_mode = OFF;
ATTACH '$ROOT$WORK/state.db' AS old;
CREATE TABLE held AS
  SELECT CAST(name AS TEXT) AS name, CAST(value AS BLOB) AS value
  FROM old.kine JOIN (SELECT MAX(id) AS id FROM old.kine GROUP BY name) USING (id) WHERE deleted = 0;
DETACH old;
CREATE TABLE copied AS SELECT COUNT(*) AS total FROM held;
DELETE FROM held WHERE $EXEMPT;
CREATE UNIQUE INDEX held_name ON held(name);
CREATE TABLE got (name TEXT PRIMARY KEY, value BLOB, created INTEGER, version INTEGER);
CREATE TABLE early (name TEXT PRIMARY KEY, value BLOB, created INTEGER, version INTEGER);
SQL
  rm -f "$ROOT$WORK"/state.db*
}

# Notes etcd's revision in `revision`, and in `served` whether the API may have written by then.
note_revision() {
  mkdir -p "$ROOT$WORK"
  wait_for 60 "etcd to answer on this machine" find_gateway ||
    fail "etcd does not answer on https://127.0.0.1:2382" "what was copied cannot be compared" "see journalctl -u k3s"
  revision=$(range '{"key":"AA==","limit":"1"}' | sed 's/.*"revision":"\([0-9]*\)".*/\1/')
  served=false
  ! api_answers >/dev/null 2>&1 || served=true
}

# All keys below /registry/ as of that revision. Where the API has served, also the names at the copy's own end, as long as
# etcd has not forgotten it: what was copied and deleted since is told from what was not copied.
read_etcd() {
  local end
  read_range got "$revision" || fail "etcd did not give its keys as of revision $revision" \
    "what was copied cannot be compared" "see the lines above, and journalctl -u k3s"
  remembered=true
  if [[ $served == true ]]; then
    # The copy's revisions begin at 2, one each key.
    end=$(sql "$ROOT$WORK/comparison.db" <<<'SELECT total + 1 FROM copied;')
    ((end <= revision)) || end=$revision
    read_range early "$end" 2>/dev/null || remembered=false
  fi
}

# read_range TABLE REVISION
read_range() {
  local from to page=$ROOT$WORK/page.json last
  from=$(printf '/registry/' | base64 -w0)
  to=$(printf '/registry0' | base64 -w0)
  while :; do
    range "{\"key\":\"$from\",\"range_end\":\"$to\",\"revision\":\"$2\",\"limit\":\"$PAGE\"}" >"$page" || return 1
    last=$(page_to_sql "$1" "$page" 3>"$ROOT$WORK/page.sql") || return 1
    sql "$ROOT$WORK/comparison.db" <"$ROOT$WORK/page.sql" || return 1
    grep -q '"more":true' "$page" || return 0
    # The next page begins with the smallest key that is greater than the last one.
    from=$(perl -e 'print pack("H*", $ARGV[0])' "${last}00" | base64 -w0)
  done
}

# k3s has had the JSON gateway on 2382 since its client port speaks gRPC alone.
find_gateway() {
  local port
  for port in 2382 2379; do
    if range '{"key":"AA==","limit":"1"}' "$port" >/dev/null 2>&1; then
      printf '%s' "$port" >"$ROOT$WORK/gateway"
      return 0
    fi
  done
  return 1
}

# range REQUEST [PORT]
range() {
  local pki=$ROOT/var/lib/rancher/k3s/server/tls/etcd
  curl --silent --show-error --fail --max-time 30 --cacert "$pki/server-ca.crt" --cert "$pki/client.crt" \
    --key "$pki/client.key" --data "$1" "https://127.0.0.1:${2:-$(<"$ROOT$WORK/gateway")}/v3/kv/range" </dev/null
}

# page_to_sql TABLE FILE: statements go to descriptor 3, the last key to standard output; both as hexadecimal digits. An entry
# is a flat object of strings without braces or quotes in them; fields that are zero or empty are missing.
page_to_sql() {
  perl -e '
    use strict; use warnings;
    open(my $out, ">&=", 3) or die $!;
    local $/; my $text = <STDIN>; my $last = "";
    sub hex64 {
      my ($text) = @_; my $bytes = "";
      $text =~ tr#A-Za-z0-9+/##cd; $text =~ tr#A-Za-z0-9+/# -_#;
      $bytes .= unpack("u", chr(32 + int(length($1) * 3 / 4)) . $1) while $text =~ /(.{1,60})/gs;
      return unpack("H*", $bytes);
    }
    print $out "BEGIN;\n";
    while ($text =~ /\{([^{}]*"key":[^{}]*)\}/g) {
      my %entry = $1 =~ /"(\w+)":"([^"]*)"/g;
      $last = hex64($entry{key});
      printf $out "INSERT INTO $ARGV[0] VALUES (CAST(x\x27%s\x27 AS TEXT), x\x27%s\x27, %s, %s);\n",
        $last, hex64($entry{value} // ""), $entry{create_revision} // 0, $entry{version} // 0;
    }
    print $out "COMMIT;\n"; print $last;' "$1" <"$2"
}

# Finds in the view `difference`:
#   missing   SQLite had it, etcd never got it
#   changed   etcd was given another value
#   invented  etcd got it among the copied ones, SQLite had no such key
# Where the API has served, what it wrote is left out: it has a later version, or was created after the copy's end.
# Sets compared, unproven (changed or deleted since) and differing; up to ten names in differences.
compare() {
  local kind name lost='FALSE' end="$revision" invented=TRUE
  if [[ $served == true ]]; then
    end='(SELECT total + 1 FROM copied)'
    invented=FALSE
  fi
  [[ $remembered == false ]] || lost='name NOT IN (SELECT name FROM got) AND name NOT IN (SELECT name FROM early)'
  sql "$ROOT$WORK/comparison.db" <<SQL
CREATE VIEW difference AS
  SELECT 'missing' AS kind, name FROM held WHERE $lost
  UNION ALL
  SELECT 'changed', name FROM held JOIN got USING (name)
  WHERE version = 1 AND created <= $end AND held.value IS NOT got.value
  UNION ALL
  SELECT 'invented', name FROM got WHERE $invented AND name NOT IN (SELECT name FROM held) AND NOT ($EXEMPT)
    AND created < (SELECT MAX(created) FROM got JOIN held USING (name) WHERE version = 1);
SQL
  IFS='|' read -r compared unproven differing < <(sql "$ROOT$WORK/comparison.db" <<SQL
SELECT (SELECT COUNT(*) FROM held),
  (SELECT COUNT(*) FROM held LEFT JOIN got USING (name) WHERE version IS NULL OR version > 1 OR created > $end),
  (SELECT COUNT(*) FROM difference);
SQL
  )
  differences=
  while IFS='|' read -r kind name; do
    differences+="${differences:+, }$kind $name"
  done < <(sql "$ROOT$WORK/comparison.db" <<<"SELECT kind, name FROM difference ORDER BY kind, name LIMIT 10;")
  rm -rf "$ROOT$WORK"
}
