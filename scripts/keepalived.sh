# shellcheck shell=bash
# shellcheck disable=SC2154 # changed and last_seen come from lib.sh
#
# keepalived on a load balancer: holds the endpoint's virtual IP on one of them by VRRP version 3, unicast.
# It watches HAProxy on its own machine, not the servers behind: these are HAProxy's business.
#
# Verbs
#   ensure   keepalived runs with these values; reloaded only if they differ, never restarted
#   check    whether it runs, and whether this machine holds the address
#   remove   keepalived stops, which hands the address over at once; its former configuration comes back. Where no
#            other load balancer takes the endpoint over it goes on instead: the cluster's own clients use it
#
# Variables
#   VIRTUAL_ADDRESS, PREFIX_LENGTH   the endpoint's address
#   ROUTER_ID        VRRP virtual router, 1-255, the same on every load balancer and nowhere else on this network
#   PRIORITY         1-254; matters only while nobody holds the address, as nobody preempts
#   OWN_ADDRESS      of this machine
#   PEERS            addresses of the other load balancers, by spaces; may be empty
#   INTERFACE        default: the one that has OWN_ADDRESS
#   ENDPOINT_PORT    for remove

CONFIG="$ROOT/etc/keepalived/keepalived.conf"
CONFIG_BEFORE="$CONFIG.before-triad"
WATCH="$ROOT/usr/local/lib/triad/haproxy-answers"
# Stands from before the file is written until keepalived has read it; a boot, which reads it too, clears it.
PENDING="$ROOT/run/triad/keepalived-reload"

ensure() {
  require VIRTUAL_ADDRESS PREFIX_LENGTH ROUTER_ID PRIORITY OWN_ADDRESS
  ensure_packages keepalived socat iproute2
  hold_lock keepalived 60
  ensure_watch
  ensure_config
  ensure_running
  result "{\"changed\":$changed,\"interface\":$(json_string "$(own_interface)")}"
}

check() {
  require VIRTUAL_ADDRESS
  local active=false
  ! systemctl is-active --quiet keepalived || active=true
  result "{\"changed\":false,\"active\":$active,\"holder\":$(holds_address)}"
}

remove() {
  hold_lock keepalived 60
  if systemctl is-active --quiet keepalived; then
    systemctl stop keepalived
    if ! wait_for 4 "another load balancer to take the endpoint over" endpoint_answers; then
      systemctl start keepalived
      warn "this is the last load balancer of the endpoint: it goes on, since workers and servers reach the API by it"
      result '{"changed":false,"kept":true}'
      return
    fi
    systemctl disable keepalived
    changed=true
  fi
  if [[ -e $CONFIG_BEFORE ]]; then
    mv -f "$CONFIG_BEFORE" "$CONFIG"
    changed=true
  elif ours; then
    remove_file "$CONFIG"
  fi
  remove_file "$WATCH" "$PENDING"
}

endpoint_answers() {
  timeout 1 bash -c "exec 3<>/dev/tcp/$VIRTUAL_ADDRESS/$ENDPOINT_PORT"
}

ours() { grep -q '^# Written by Triad' "$CONFIG" 2>/dev/null; }

# Version 4 or 6, for ip.
family() { if [[ $1 == *:* ]]; then printf -- -6; else printf -- -4; fi; }

own_interface() {
  local name=${INTERFACE:-}
  [[ -n $name ]] || name=$(ip -o "$(family "$OWN_ADDRESS")" address show to "$OWN_ADDRESS" | awk '{ print $2; exit }')
  [[ -n $name ]] ||
    fail "no interface of this machine has the address $OWN_ADDRESS" \
      "keepalived needs an interface on which to hold $VIRTUAL_ADDRESS" \
      "correct the machine's address, or give its interface by name"
  ip link show dev "$name" >/dev/null 2>&1 ||
    fail "this machine has no interface $name" "keepalived needs one to hold $VIRTUAL_ADDRESS" \
      "name one of: $(ip -o link show | awk -F': ' '{ printf "%s ", $2 }')"
  printf '%s' "$name"
}

holds_address() {
  if [[ -n $(ip -o "$(family "$VIRTUAL_ADDRESS")" address show to "$VIRTUAL_ADDRESS") ]]; then
    printf true
  else
    printf false
  fi
}

# A process that accepts on its runtime socket is alive, and asking the kernel that takes no time, however
# busy the machine is. A process that hangs is ended by HAProxy's own watchdog.
render_watch() {
  cat <<'WATCH'
#!/bin/sh
# Written by Triad: whether HAProxy lives. keepalived gives the virtual IP away when this fails.
WATCH
  printf 'exec socat -u OPEN:/dev/null UNIX-CONNECT:%s 2>/dev/null\n' "$ROOT/run/haproxy/triad.sock"
}

ensure_watch() {
  local watch
  watch=$(render_watch)
  install_file "$WATCH" 0755 root:root <<<"$watch"
}

render_peers() {
  local peer
  [[ -n ${PEERS:-} ]] || return 0
  printf '    unicast_src_ip %s\n    unicast_peer {\n' "$OWN_ADDRESS"
  for peer in $PEERS; do printf '        %s\n' "$peer"; done
  printf '    }\n'
}

# render_config INTERFACE: the whole of keepalived.conf
render_config() {
  cat <<CONFIG
# Written by Triad; changes made here are overwritten. What was here before: $CONFIG_BEFORE
global_defs {
    router_id $(hostname)
    # Version 2 would round the interval below up to a second.
    vrrp_version 3
    enable_script_security
    script_user root
    # A busy machine must not look like a dead one to its peer.
    vrrp_priority -20
}

vrrp_script haproxy {
    script "$WATCH"
    interval 1
    timeout 1
    fall 1
    rise 2
    init_fail
}

vrrp_instance triad {
    # All start as BACKUP: with MASTER, nopreempt would not count, and the address would move twice a reboot.
    state BACKUP
    nopreempt
    interface $1
    virtual_router_id $ROUTER_ID
    priority $PRIORITY
    # Seconds. A peer takes over after three of them and up to a fourth by its priority.
    advert_int 0.1
    # Neighbours learn who has the address: at once, again after a second, then now and then, should a
    # switch have missed it.
    garp_master_delay 1
    garp_master_repeat 3
    garp_master_refresh 60
$(render_peers)
    virtual_ipaddress {
        $VIRTUAL_ADDRESS/$PREFIX_LENGTH dev $1
    }
    track_script {
        haproxy
    }
}
CONFIG
}

ensure_config() {
  local interface config candidate complaint
  interface=$(own_interface)
  config=$(render_config "$interface")
  mkdir -p "$(dirname "$CONFIG")" "$(dirname "$PENDING")"
  candidate=$(mktemp "$CONFIG.XXXXXXXX")
  printf '%s\n' "$config" >"$candidate"
  complaint=$(keepalived --config-test --use-file "$candidate" 2>&1) || {
    rm -f "$candidate"
    fail "keepalived refuses the configuration: $complaint" \
      "the one that runs is left as it is" "check the values given; $(keepalived --version 2>&1 | head -n 1)"
  }
  if cmp -s "$candidate" "$CONFIG"; then
    rm -f "$candidate"
    return 0
  fi
  rm -f "$candidate"
  if [[ -e $CONFIG && ! -e $CONFIG_BEFORE ]] && ! ours; then
    info "keeping the $CONFIG that was here as $CONFIG_BEFORE"
    cp -a "$CONFIG" "$CONFIG_BEFORE"
  fi
  : >"$PENDING"
  install_file "$CONFIG" 0644 root:root <<<"$config"
}

is_active() {
  local state
  state=$(systemctl is-active keepalived) || true
  printf 'systemd says %s' "$state"
  [[ $state == active ]]
}

ensure_running() {
  if ! is_active >/dev/null; then
    info "starting keepalived"
    systemctl reset-failed keepalived 2>/dev/null || true
    systemctl enable --now keepalived
    changed=true
  elif [[ -e $PENDING ]]; then
    info "reloading keepalived"
    systemctl reload keepalived
    changed=true
  fi
  systemctl is-enabled --quiet keepalived || { systemctl enable keepalived && changed=true; }
  wait_for 10 "keepalived" is_active ||
    fail "keepalived does not run: $last_seen" "nobody may hold $VIRTUAL_ADDRESS" \
      "journalctl -u keepalived on this machine"
  rm -f "$PENDING"
}
