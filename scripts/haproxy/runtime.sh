# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in haproxy.sh
#
# A part of haproxy.sh: the process, through its runtime socket and systemd.

# runtime_command COMMAND: to the runtime socket; prints the answer
runtime_command() {
  local answer
  answer=$(printf '%s\n' "$1" | timeout 3 socat -t 2 - "UNIX-CONNECT:$SOCKET") ||
    fail "HAProxy's runtime socket $SOCKET does not answer" \
      "the files are written, but the running HAProxy does not know" "systemctl status haproxy; then run it again"
  # A command that changes something is silent when it worked.
  [[ $1 == show* || -z ${answer//[[:space:]]/} ]] ||
    fail "HAProxy answers \"$1\" with: $answer" "the running HAProxy differs from its files" "run the verb ensure"
  printf '%s\n' "$answer"
}

# server_table: backend, server, admin state and health of each, a line each
server_table() {
  local table backend name operational admin _
  table=$(runtime_command "show servers state")
  while read -r _ backend _ name _ operational admin _; do
    [[ $admin =~ ^[0-9]+$ ]] || continue
    # Bits: 1, 2 and 32 are maintenance in one way or another, 8 and 16 draining; 4 stays set on a server
    # whose line said disabled, whatever has happened since.
    # https://docs.haproxy.org/2.6/management.html#9.3-show%20servers%20state
    if ((admin & 35)); then admin=disabled; elif ((admin & 24)); then admin=drain; else admin=ready; fi
    # 2: running, also while it drains; 3: running, no new connections; 1: coming up.
    if ((operational == 2 || operational == 3)); then operational=UP; else operational=DOWN; fi
    printf '%s %s %s %s\n' "$backend" "$name" "$admin" "$operational"
  done <<<"$table"
}

admin_state() { server_table | awk -v backend="$1" -v name="$SERVER" '$1 == backend && $2 == name { print $3 }'; }

# in_service ADDRESS:PORT: both, since HAProxy calls a server UP from its enabling to its first failed check
in_service() {
  local seen
  api_ready "$1" || return 1
  seen=$(server_table | awk -v name="$SERVER" '$1 == "ready" && $2 == name { print $3, $4 }')
  printf ', HAProxy says %s' "${seen:-it does not know it}"
  [[ $seen == "ready UP" ]]
}

servers_json() {
  local backend name admin health address separator='' table
  table=$(server_table)
  printf '['
  while read -r backend name admin health; do
    [[ $backend == ready ]] || continue
    address=$(SERVER=$name server_address)
    printf '%s{"name":%s,"address":%s,"admin":"%s","health":"%s"}' "$separator" \
      "$(json_string "$name")" "$(json_string "$address")" "$admin" "$health"
    separator=,
  done <<<"$table"
  printf ']'
}

running_hash() {
  [[ -S $SOCKET ]] || return 0
  { printf 'show info\n' | timeout 3 socat -t 2 - "UNIX-CONNECT:$SOCKET" 2>/dev/null || true; } |
    sed -n 's/^description: triad-//p'
}

is_current() {
  local hash
  hash=$(running_hash)
  printf 'it runs with configuration %s' "${hash:-of somebody else, or not at all}"
  [[ $hash == "$1" ]]
}

# Health without admin states (the seventh column): these come from the configuration.
save_health() {
  # The one that runs may be somebody else's, beside a socket that ours has left.
  [[ -n $(running_hash) ]] || return 0
  local table
  table=$(runtime_command "show servers state" | awk 'NF > 7 && $1 != "#" { $7 = 0 } { print }')
  printf '%s\n' "$table" >"$HEALTH.new"
  mv -f "$HEALTH.new" "$HEALTH"
}

ensure_running() {
  local hash
  hash=$(written_hash)
  if ! systemctl is-active --quiet haproxy; then
    info "starting HAProxy"
    systemctl reset-failed haproxy 2>/dev/null || true
    systemctl enable --now haproxy
    changed=true
  elif [[ $(running_hash) != "$hash" ]]; then
    info "reloading HAProxy"
    save_health
    systemctl reload haproxy
    changed=true
  fi
  systemctl is-enabled --quiet haproxy || { systemctl enable haproxy && changed=true; }
  wait_for 15 "HAProxy with its new configuration" is_current "$hash" ||
    fail "HAProxy does not run with the configuration just written: $last_seen" \
      "the endpoint is not served as planned" "journalctl -u haproxy on this machine"
  # Read by the new process; at a later restart it would be stale.
  rm -f "$HEALTH"
}
