# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in haproxy.sh
#
# A part of haproxy.sh: which server takes connections, in files, in the configuration and in the running process.

# On the first install, the initial server and whoever serves the API already: a load balancer that is
# rebuilt in front of three servers must use all of them. Later, a new server waits for `enable`.
ensure_states() {
  local pair name address state folder=$STATES
  [[ -d $STATES ]] || folder="$STATES.new"
  mkdir -p "$folder"
  for pair in $SERVERS; do
    name=${pair%%=*} address=${pair#*=} state=disabled
    [[ ! -s $folder/$name ]] || continue
    if [[ $folder != "$STATES" ]] &&
      { [[ $name == "$INITIAL_SERVER" ]] || api_ready "$(with_port "$address")" >/dev/null 2>&1; }; then
      state=ready
    fi
    info "$name enters $state"
    install_file "$folder/$name" 0644 <<<"$state"
  done
  if [[ $folder != "$STATES" ]]; then
    mv -T "$folder" "$STATES"
    sync "$(dirname "$STATES")"
  fi
  for name in "$STATES"/*; do
    [[ " $SERVERS" == *" ${name##*/}="* ]] || remove_file "$name"
  done
}

server_state() {
  local state=disabled
  [[ ! -s $STATES/$1 ]] || read -r state <"$STATES/$1"
  printf '%s' "$state"
}

# set_state ready|disabled: for SERVER, in its file, in the configuration on disk and in the running HAProxy,
# in this order, so that whatever reads it next agrees. No reload.
set_state() {
  local state=$1 runtime=$1 mark='' edited backend seen
  [[ $state == ready ]] || { mark=' disabled' runtime=drain; }
  install_file "$STATES/$SERVER" 0644 <<<"$state"
  edited=$(sed -E "s/^(    server ${SERVER//./\\.} [^ ]+)( disabled)?\$/\\1$mark/" "$CONFIG")
  install_file "$CONFIG" 0640 root:haproxy <<<"$edited"
  for backend in "${BACKENDS[@]}"; do
    seen=$(admin_state "$backend")
    # A disabled server takes even less than a draining one.
    if [[ $seen != "$runtime" && $runtime-$seen != drain-disabled ]]; then
      runtime_command "set server $backend/$SERVER state $runtime"
      changed=true
    fi
  done
}

# Draining the only usable server would take the API away; a server that is down already may go.
refuse_to_drain_the_last_one() {
  local table name backend admin health others=0 itself=0
  table=$(server_table)
  while read -r backend name admin health; do
    [[ $backend == ready && $admin == ready && $health == UP ]] || continue
    if [[ $name == "$SERVER" ]]; then itself=1; else others=$((others + 1)); fi
  done <<<"$table"
  ((itself == 0 || others > 0)) ||
    fail "$SERVER is the only server that takes connections here" \
      "draining it would take the API away from everyone who uses the endpoint" \
      "enable another server first, or see by the verb status why none is UP"
}

knows_server() { grep -qE "^    server ${SERVER//./\\.} " "$CONFIG" 2>/dev/null; }

server_address() {
  knows_server ||
    fail "HAProxy's configuration on this machine has no server $SERVER" \
      "it cannot be enabled" "run the verb ensure with $SERVER in SERVERS first"
  awk -v name="$SERVER" '$1 == "server" && $2 == name { printf "%s", $3; exit }' "$CONFIG"
}

# with_port ADDRESS: with brackets around an IPv6 address
with_port() {
  if [[ $1 == *:* ]]; then printf '[%s]:%s' "$1" "${BACKEND_PORT:-6443}"; else printf '%s:%s' "$1" "${BACKEND_PORT:-6443}"; fi
}
