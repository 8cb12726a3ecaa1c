# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in keepalived.sh
#
# A part of keepalived.sh: keepalived.conf, and the script by which keepalived watches HAProxy.

ours() { grep -q '^# Written by Triad' "$CONFIG" 2>/dev/null; }

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
