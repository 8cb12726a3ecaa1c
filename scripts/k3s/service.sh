# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh and the header, or read in the scripts that name this part
#
# A part of the scripts for k3s: where its files lie, how its unit is read, written and started, and why it fails.

readonly K3S_DATA="$ROOT/var/lib/rancher/k3s"
readonly K3S_ETC="$ROOT/etc/rancher/k3s"
readonly K3S_CONFIG="$K3S_ETC/config.yaml.d/50-triad.yaml"
UNITS="$ROOT/etc/systemd/system"
readonly SERVER_DROP_IN="$UNITS/k3s.service.d/50-triad.conf"
readonly TOKEN_CONFIG="$K3S_ETC/config.yaml.d/51-triad-token.yaml"
readonly TRIAD_DATA="$ROOT/var/lib/triad"
# While both are there k3s does not start.
readonly LEAVING="$TRIAD_DATA/leaving"
readonly STAY_OUT="$UNITS/k3s.service.d/90-triad-leaving.conf"
# The unit of a server that Triad did not make, from its leaving until it joins again.
readonly KEPT_SERVER="$TRIAD_DATA/server"

# unit_file UNIT: prints where it is defined; fails where there is none, or it is masked
unit_file() {
  local folder
  [[ $(readlink "$UNITS/$1.service") != /dev/null ]] || return 1
  for folder in "$UNITS" "$ROOT/usr/local/lib/systemd/system" "$ROOT/usr/lib/systemd/system"; do
    [[ -f $folder/$1.service && ! -L $folder/$1.service ]] || continue
    printf '%s' "$folder/$1.service"
    return
  done
  return 1
}

has_unit() { unit_file "$1" >/dev/null; }

server_is_kept() { [[ -f $KEPT_SERVER/k3s.service ]]; }

# unit_lines UNIT: what its file and drop-ins say, in systemd's order, lines that go on made one
unit_lines() {
  local file
  for file in "$(unit_file "$1")" "$UNITS/$1.service.d"/*.conf; do
    [[ -f $file ]] || continue
    sed -e ':a' -e '/\\$/{N;s/\\\n/ /;ba' -e '}' "$file"
  done
}

# words TEXT: splits as systemd and shells do, a word a line
words() { xargs printf '%s\n' <<<"$1" | sed 's/\$\$/$/g;s/%%/%/g'; }

# exec_start UNIT: the words of its command line, the program first
exec_start() {
  local line
  line=$(unit_lines "$1" | sed -n 's/^[[:space:]]*ExecStart=[-@:+!]*//p' | tail -n 1)
  [[ -z $line ]] || words "$line"
}

k3s_program() {
  local program=''
  ! has_unit k3s || program=$(exec_start k3s | head -n 1)
  printf '%s' "${program:-/usr/local/bin/k3s}"
}

k3s_version() {
  local text
  text=$(k3s --version 2>/dev/null </dev/null) || return 0
  [[ ${text%%$'\n'*} =~ v[0-9]+\.[0-9]+\.[0-9]+[^[:space:]]* ]] || return 0
  printf '%s' "${BASH_REMATCH[0]}"
}

datastore() {
  if [[ -f $K3S_DATA/server/db/state.db ]]; then
    printf sqlite
  elif [[ -d $K3S_DATA/server/db/etcd/member/wal ]]; then
    printf etcd
  else
    printf none
  fi
}

# From now on only files say how this server runs: a list on the command line would replace theirs.
write_server_drop_in() {
  install_file "$SERVER_DROP_IN" 0644 <<<"# Written by Triad: this server's flags are in $K3S_ETC.
[Service]
ExecStart=
ExecStart=$(k3s_program) server"
}

# write_config TEXT
write_config() {
  local directory
  install_file "$K3S_CONFIG" 0600 <<<"${1%$'\n'}"
  directory=$(sed -n 's/^etcd-snapshot-dir: *"\{0,1\}\([^"]*\)"\{0,1\} *$/\1/p' <<<"$1")
  if [[ -n $directory && ! -d $ROOT$directory ]]; then install -d -m 0700 "$ROOT$directory"; fi
}

# write_audit_policy TEXT: nothing for none; sets file_changed
write_audit_policy() {
  file_changed=false
  [[ -z $1 ]] || install_file "$TRIAD_DATA/audit-policy.yaml" 0600 <<<"${1%$'\n'}"
}

api_answers() {
  timeout 8 k3s kubectl --kubeconfig "$K3S_ETC/k3s.yaml" --request-timeout 3s get --raw /readyz </dev/null
}

# etcd_call PATH DATA: the JSON gateway, which in k3s has a port of its own; only this machine reaches it
etcd_call() {
  local pki="$K3S_DATA/server/tls/etcd"
  curl --silent --show-error --fail-with-body --max-time 3 \
    --cacert "$pki/server-ca.crt" --cert "$pki/client.crt" --key "$pki/client.key" \
    --data "$2" "https://127.0.0.1:2382$1" </dev/null
}

main_pid() { systemctl show k3s --property MainPID --value; }

# The unit never gives up starting, so whoever waits does.
start_server() {
  started_at=$(date +%s)
  systemctl reset-failed k3s 2>/dev/null || true
  systemctl "$1" --no-block k3s
}

# stop_server AGAIN: ends with what to do then where it does not stop
stop_server() {
  timeout 150 systemctl stop k3s ||
    fail "k3s does not stop" "a server that still runs would join again behind our back" \
      "see systemctl status k3s on this machine, then $1"
}

# server_up OLD_PID: whether another process than the old one is a server whose API answers
server_up() {
  local state
  state=$(systemctl is-active k3s) || true
  if [[ $state != active || $(main_pid) == "$1" ]]; then
    printf 'its unit is %s; k3s said last: %s' "$state" "$(last_complaint)"
    sleep 0.5
    return 1
  fi
  api_answers
}

# up_or_hopeless OLD_PID: ends a wait also where waiting mends nothing
up_or_hopeless() { server_up "$1" || [[ -n $(reason) ]]; }

journal() { journalctl --unit k3s --since "@$started_at" --output cat --no-pager 2>/dev/null </dev/null || true; }

# What k3s ended with last, without the time and level before it.
last_complaint() {
  journal | sed -n 's/^.*level=fatal msg="\{0,1\}\(.*[^"]\)"\{0,1\}$/\1/p' | sed 's/\\"/"/g' | tail -n 1 | cut -c1-400
}

# The cause, where k3s tells one that trying again does not mend: "SEEN|CURE"
reason() {
  local text flags
  text=$(journal)
  if grep -q 'critical configuration value mismatch' <<<"$text"; then
    flags=$(sed -n 's/.*[Cc]ritical configuration mismatched: *\([A-Za-z0-9=, -]*\).*/\1/p' <<<"$text" | sort -u | paste -sd, -)
    printf '%s|%s' "k3s refuses to join because this server would run with other critical flags than the others: ${flags:-not named}" \
      "make them the same under triad:k3s.config"
  elif grep -qE 'level=fatal.*(token CA hash|[Ii]nvalid token|not authorized|401 Unauthorized|403 Forbidden|different token|normalize.*token)' <<<"$text"; then
    printf '%s|%s' "the cluster refuses this machine's token: $(last_complaint)" \
      "look for another token in $K3S_ETC or in the unit's environment on this machine, and take it out"
  elif grep -q 'duplicate node name' <<<"$text"; then
    printf '%s|%s' "etcd still has a member of this machine's name: $(last_complaint)" \
      "run pulumi up again: what an earlier life left in the list is removed first"
  elif grep -q 'could cause a cluster outage' <<<"$text"; then
    printf '%s|%s' "files of an earlier life as a server are in the way: $(last_complaint)" \
      "run pulumi up again: they are moved aside first"
  fi
}
