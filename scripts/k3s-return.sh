# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Keeps k3s from starting on a machine that the cluster has removed while it was off. Without this it would join again by
# itself, or begin an empty cluster of its own. Before each start k3s' members are asked for, through the endpoint: only a
# list without this machine keeps it out; where nobody answers it starts. Nothing restarts when this is written.
#   check   {"installed":true|false}
# Variables: ENDPOINT (address:port).
#
# @see https://github.com/k3s-io/k3s/blob/master/pkg/etcd/etcd.go (Register, the tombstone)
#
# part: k3s/service.sh

readonly GUARD="$ROOT/usr/local/lib/triad/k3s-return-guard"
readonly GUARD_DROP_IN=etc/systemd/system/k3s.service.d/55-triad-return.conf

ensure() {
  require ENDPOINT
  local text
  text=$(guard_text)
  install_file "$GUARD" 0755 <<<"$text"
  install_file "$ROOT/$GUARD_DROP_IN" 0644 <<<"# Written by Triad: a server that was removed while it was off stays out.
[Service]
ExecStartPre=$GUARD"
  [[ $changed == false ]] || systemctl daemon-reload
}

remove() {
  remove_file "$ROOT/$GUARD_DROP_IN" "$GUARD"
  [[ $changed == false ]] || systemctl daemon-reload
}

check() { result "{\"installed\":$(truth test -x "$GUARD" -a -e "$ROOT/$GUARD_DROP_IN")}"; }

guard_text() {
  printf '#!/bin/bash\n# Installed by Triad; see what it prints.\nset -u\nROOT=%q ENDPOINT=%q\n' "$ROOT" "$ENDPOINT"
  declare -f return_guard list_members
  printf 'return_guard\n'
}

# Made part of the guard as it stands, so it uses nothing of lib.sh. A server without data, such as one that is about to
# join, is nobody's member yet. Each life as a member has a name of its own; one that has not told it yet is listed without.
return_guard() {
  local server=$ROOT/var/lib/rancher/k3s/server name list
  [[ -d $server/db/etcd/member/wal && -s $server/token ]] || return 0
  read -r name <"$server/db/etcd/name" || [[ -n ${name:-} ]] || return 0
  list=$(list_members "$server") || return 0
  # A list with somebody in it, as a majority knows it.
  [[ $list == *'"peerURLs":["https://'* ]] || return 0
  [[ $list != *"\"name\":\"$name\""* ]] || return 0
  # One that has just been added has no name.
  [[ $(grep -o '"peerURLs":' <<<"$list" | wc -l) == $(grep -o '"name":"[^"]' <<<"$list" | wc -l) ]] || return 0
  echo "the cluster at $ENDPOINT has removed this server: k3s does not start, as it would join again by itself" >&2
  echo "to make it a server again: move $server away, list it under triad:servers, run pulumi up" >&2
  return 1
}

# The token is handed to curl where nobody sees it.
list_members() {
  local token
  read -r token <"$1/token" || [[ -n $token ]] || return 1
  token=${token#*::}
  token=${token//\\/\\\\}
  curl --silent --fail --max-time 3 --retry 1 --retry-delay 1 --retry-connrefused --cacert "$1/tls/server-ca.crt" \
    --config - "https://$ENDPOINT/db/info" <<<"user = \"${token//\"/\\\"}\""
}
