# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, or read there or in the parts
#
# HAProxy on a load balancer, a machine of its own or a server: takes connections to the endpoint and passes them,
# still encrypted, to a server whose API is ready.
#
# Verbs
#   ensure   HAProxy runs with the servers given; reloaded only if its configuration differs, never restarted
#   enable   the server SERVER takes connections: waits until its API is ready and HAProxy calls it UP
#   introduce  enable, where HAProxy knows the server SERVER
#   drain    the server SERVER gets no new connection; those it has go on. Refused for the only one that serves
#   credential  asks the servers with TOKEN whether they are ready, once one of them has accepted it; reloaded only if
#            the token or the authority differs
#   status   what HAProxy says of every server
#   check    like status, and whether the running configuration is the one that ensure would leave
#   remove   HAProxy stops and all is as it was found, unless keepalived goes on
#
# Variables
#   ENDPOINT_ADDRESS, ENDPOINT_PORT   where the API is reached; the standby binds it without having it
#   SERVERS          "name=address name=address"
#   INITIAL_SERVER   the one that takes connections from the first install on
#   STATS_PASSWORD   of the statistics page, user triad; empty for none
#   OWN_ADDRESS      where the statistics page listens, port 8404; default 127.0.0.1
#   BACKEND_PORT     the API's port on the servers, default 6443
#   CHECK            how servers are asked whether they are ready: anonymous (default), or token where strangers get
#                    401, as from k3s. Until `credential` has brought one, all that answer /ping take connections
#   TOKEN, CA        for credential: a bearer token that may read /readyz, and the certificate authority, as PEM, of
#                    the servers that may see it
#   SERVER           for enable, introduce and drain, which need no other variable
#   READY_SECONDS    how long enable waits for the API before it lets the server in regardless,
#                    default 10, and again for HAProxy to agree, default 5
#   ON_DESTROY, OWN  see found/staying.sh; with wipe it stops in any case
#
# Whether a server takes connections lies in /var/lib/triad/haproxy/<server>, one word, ready or disabled.
# The configuration is rendered from these files, so the choice outlives a reload, a restart and a power cut.
#
# part: haproxy/states.sh
# part: haproxy/config.sh
# part: haproxy/credential.sh
# part: haproxy/runtime.sh
# part: found/staying.sh
# part: found/files.sh
# part: found/packages.sh

EXTRA_VERBS="enable introduce drain credential status"

PACKAGE_OWNER=haproxy
CONFIG="$ROOT/etc/haproxy/haproxy.cfg"
CONFIG_BEFORE="$CONFIG.before-triad"
TOKEN_FILE="$ROOT/etc/haproxy/triad-readiness.token"
CA_FILE="$ROOT/etc/haproxy/triad-readiness.ca"
STATES="$ROOT/var/lib/triad/haproxy"
SOCKET="$ROOT/run/haproxy/triad.sock"
# Lives on tmpfs on purpose: health that was seen before a reboot says nothing.
HEALTH="$ROOT/run/haproxy/triad.health"
# Both hold every server; see render_config.
BACKENDS=(ready alive)

ensure() {
  require ENDPOINT_ADDRESS ENDPOINT_PORT SERVERS INITIAL_SERVER
  # One that a Triad without this memory has set up runs for Triad.
  if ! ours "$CONFIG"; then
    keep_service haproxy
    keep_found_folders /etc/haproxy
  fi
  ensure_packages haproxy socat curl
  hold_lock haproxy 60
  CHECK=${CHECK:-anonymous}
  check_values
  by_token || remove_file "$TOKEN_FILE" "$CA_FILE"
  ensure_states
  ensure_config
  ensure_running
}

check() {
  require ENDPOINT_ADDRESS ENDPOINT_PORT SERVERS
  local current=false
  CHECK=${CHECK:-anonymous}
  [[ $(running_hash) == "$(config_hash)" ]] && current=true
  result "{\"changed\":false,\"current\":$current,\"servers\":$(servers_json)}"
}

status() { result "{\"servers\":$(servers_json)}"; }

enable() {
  require SERVER
  hold_lock haproxy 60
  local address
  address=$(server_address)
  # Asked before HAProxy sends anyone there: a server that leaves maintenance counts as UP until its first check.
  wait_for "${READY_SECONDS:-10}" "$SERVER's API at $address" api_ready "$address" || true
  set_state ready
  # Written and set even if it is not ready yet: the choice is to use it, HAProxy's checks decide when.
  wait_for "${READY_SECONDS:-5}" "$SERVER in HAProxy" in_service "$address" ||
    fail "$SERVER is enabled, but does not serve: $last_seen" \
      "it takes no connections until its checks pass" \
      "ask $SERVER itself: kubectl get --raw '/readyz?verbose' there, and see its API server's log"
  result "{\"changed\":$changed,\"server\":$(json_string "$SERVER"),\"state\":\"UP\"}"
}

introduce() {
  require SERVER
  if knows_server; then enable; else absent; fi
}

# One that left the list has no connections here any more.
absent() { result "{\"changed\":false,\"server\":$(json_string "$SERVER"),\"state\":\"ABSENT\"}"; }

drain() {
  require SERVER
  hold_lock haproxy 60
  if ! knows_server; then
    absent
    return
  fi
  refuse_to_drain_the_last_one
  set_state disabled
  result "{\"changed\":$changed,\"server\":$(json_string "$SERVER"),\"state\":\"DRAIN\"}"
}

remove() {
  hold_lock haproxy 60
  if stays "HAProxy"; then
    result '{"changed":false,"kept":true}'
    return
  fi
  if [[ ${ON_DESTROY:-} != wipe ]] && systemctl is-active --quiet keepalived && ours "$ROOT/etc/keepalived/keepalived.conf"; then
    warn "keepalived still holds the endpoint here, so HAProxy goes on"
    result '{"changed":false,"kept":true}'
    return
  fi
  if systemctl is-active --quiet haproxy && ours "$CONFIG"; then
    systemctl disable --now haproxy
    changed=true
  fi
  if [[ -e $CONFIG_BEFORE ]]; then
    mv -f "$CONFIG_BEFORE" "$CONFIG"
    changed=true
  elif ours "$CONFIG"; then
    remove_file "$CONFIG"
  fi
  remove_file "$TOKEN_FILE" "$CA_FILE" "$SOCKET"
  if [[ -d $STATES ]]; then
    rm -rf "$STATES"
    changed=true
  fi
  restore_service haproxy
  release_packages
  restore_folders
  forget_found
}

check_values() {
  local pair names=" "
  for pair in $SERVERS; do
    [[ $pair =~ ^[A-Za-z0-9][A-Za-z0-9.-]*=[0-9a-fA-F.:]+$ ]] ||
      fail "SERVERS holds '$pair'" "it becomes a line of HAProxy's configuration" "write name=address"
    names+="${pair%%=*} "
  done
  [[ $names == *" $INITIAL_SERVER "* ]] || [[ -d $STATES ]] ||
    fail "INITIAL_SERVER is $INITIAL_SERVER, which is not in SERVERS" \
      "nothing would take connections after the first install" "name one of:$names"
  [[ $CHECK == anonymous || $CHECK == token ]] ||
    fail "CHECK is $CHECK" "servers are asked in one of two ways" "give anonymous or token"
  [[ ${STATS_PASSWORD:-} != *[[:cntrl:]]* ]] ||
    fail "STATS_PASSWORD holds a control character" "a line of the configuration would break" "choose another"
}
