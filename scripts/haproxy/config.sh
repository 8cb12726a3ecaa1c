# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in haproxy.sh
#
# A part of haproxy.sh: haproxy.cfg.

ours() { grep -q '^# Written by Triad' "$1" 2>/dev/null; }

quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# render_servers: of a backend that checks, a line each; set_state edits these lines by their form
render_servers() {
  local pair name mark
  for pair in $SERVERS; do
    name=${pair%%=*} mark=''
    [[ $(server_state "$name") == ready ]] || mark=' disabled'
    printf '    server %s %s%s\n' "$name" "$(with_port "${pair#*=}")" "$mark"
  done
}

# render_followers BACKEND: servers in the state that they have in that backend. One that acknowledges nothing any
# more (tcp-ut) or is marked down is left, so that its clients come again. On each line, since HAProxy does not
# take tcp-ut from default-server.
render_followers() {
  local pair
  for pair in $SERVERS; do
    printf '    server %s %s track %s/%s tcp-ut 1500ms on-marked-down shutdown-sessions\n' \
      "${pair%%=*}" "$(with_port "${pair#*=}")" "$1" "${pair%%=*}"
  done
}

# render_config HASH: the whole of haproxy.cfg
render_config() {
  local bind=$ENDPOINT_ADDRESS:$ENDPOINT_PORT
  [[ $ENDPOINT_ADDRESS != *:* ]] || bind="[$ENDPOINT_ADDRESS]:$ENDPOINT_PORT"
  cat <<CONFIG
# Written by Triad; changes made here are overwritten. What was here before: $CONFIG_BEFORE
global
    # Tells which configuration runs, so that a run that was cut before its reload is noticed.
    description triad-$1
    log stdout format short daemon
    user haproxy
    group haproxy
    chroot $ROOT/var/lib/haproxy
    stats socket $SOCKET mode 600 level admin expose-fd listeners
    # Health is carried over a reload: a new process calls every server UP until its first check.
    server-state-file $HEALTH
    # After a reload the old process checks nobody any more, so its connections to a dead server would
    # hang. Clients reconnect, to the new process, after at most this long.
    hard-stop-after 30s
    maxconn 8000

defaults common
    mode tcp
    log global
    # Only what went wrong: clients come by the dozen a second.
    option tcplog
    option dontlognull
    option dontlog-normal
    load-server-state-from-file global
    # A machine that does not accept at once on a local network is gone: try another for the same client.
    timeout connect 200ms
    retries 4
    option redispatch 1
    option srvtcpka
    srvtcpka-idle 2s
    srvtcpka-intvl 1s
    srvtcpka-cnt 2
    # Watches, exec and logs are silent for long. The API server ends a watch after an hour at most; dead
    # peers are found by the means above and below, not by these limits.
    timeout client 65m
    timeout server 65m
    timeout client-fin 30s
    timeout server-fin 30s
    option clitcpka
    clitcpka-idle 30s
    clitcpka-intvl 5s
    clitcpka-cnt 3

frontend endpoint from common
    # transparent: the standby listens too, before it has the address.
    bind $bind transparent
    # /readyz asks etcd. When that has no leader for long no server is ready, yet each of them still
    # answers; with nobody left to ask the API would be refused.
    use_backend to-alive if { nbsrv(to-ready) eq 0 }
    default_backend to-ready

backend to-ready from common
    balance roundrobin
$(render_followers ready)

backend to-alive from common
    balance roundrobin
$(render_followers alive)

# The next two take no traffic, they check. The interval is the limit of the TLS handshake too, so it leaves a
# busy machine time; and the answer may take longer than an election of etcd's leader, which makes /readyz slow
# but not wrong. A machine that is off is found sooner, by the limits on its traffic above.
defaults checks from common
    timeout connect 1s
    timeout check 1500ms
    option httpchk
    default-server check inter 1s fastinter 300ms fall 2 rise 2 verify none

backend ready from checks
$(render_ready_check)
$(render_servers)

backend alive from checks
    http-check connect ssl
    http-check send meth GET uri $(alive_question)
    http-check expect status 200
$(render_servers)
CONFIG
  [[ -n ${STATS_PASSWORD:-} ]] || return 0
  cat <<CONFIG

frontend statistics from common
    mode http
    bind ${OWN_ADDRESS:-127.0.0.1}:8404
    timeout client 30s
    stats enable
    stats uri /
    stats refresh 5s
    stats auth $(quoted "triad:$STATS_PASSWORD")
CONFIG
}

# hash_of <CONFIGURATION: what a reload would change. Not the servers' states, which are set without one.
hash_of() {
  local hash
  hash=$({
    sed -E 's/^(    description triad-).*/\1/; /^    server /s/ disabled$//'
    [[ ! -s $CA_FILE ]] || cat "$CA_FILE"
  } | sha256sum)
  printf '%s' "${hash:0:16}"
}

config_hash() { render_config - | hash_of; }

written_hash() { sed -n 's/^    description triad-//p' "$CONFIG"; }

ensure_config() {
  local config
  config=$(render_config "$(config_hash)")
  install_config "$config"
}

# install_config TEXT: as haproxy.cfg, if HAProxy accepts it
install_config() {
  local config=$1 candidate complaint
  mkdir -p "$(dirname "$CONFIG")" "$(dirname "$SOCKET")"
  candidate=$(mktemp "$CONFIG.XXXXXXXX")
  printf '%s\n' "$config" >"$candidate"
  complaint=$(haproxy -c -f "$candidate" 2>&1) || {
    rm -f "$candidate"
    fail "HAProxy refuses the configuration: $complaint" \
      "the one that runs is left as it is" "check the values given; $(haproxy -v | head -n 1)"
  }
  rm -f "$candidate"
  if [[ -e $CONFIG && ! -e $CONFIG_BEFORE ]] && ! ours "$CONFIG"; then
    info "keeping the $CONFIG that was here as $CONFIG_BEFORE"
    cp -a "$CONFIG" "$CONFIG_BEFORE"
  fi
  install_file "$CONFIG" 0640 root:haproxy <<<"$config"
}
