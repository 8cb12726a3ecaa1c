# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, read there or in the parts
#
# keepalived on a load balancer, a machine of its own or a server: holds the endpoint's virtual IP on one of them by
# VRRP version 3, unicast. It watches HAProxy on its own machine, not the servers behind: these are HAProxy's business.
#
# The address stays where it is while load balancers come and go. One that is new does not start before the holder
# speaks to it; one that left the list is spoken to until the list changes again, since it is stopped after the others
# have their new one. A load balancer alone speaks to itself: without a peer keepalived would turn to multicast, and the
# turn back, when a second one comes, would take the address away for half a second.
#
# Verbs
#   ensure   keepalived runs with these values; reloaded only if they differ, never restarted
#   check    whether it runs, and whether this machine holds the address
#   remove   keepalived stops, which hands the address over at once; its former configuration comes back. Where no
#            other load balancer takes the endpoint over it goes on instead: the cluster's own clients use it
#            ("kept" in the answer); on a server that has left that is an error. All is as it was found where it stops
#
# Variables
#   VIRTUAL_ADDRESS, PREFIX_LENGTH   the endpoint's address
#   ROUTER_ID        VRRP virtual router, 1-255, the same on every load balancer and nowhere else on this network
#   PRIORITY         1-254; matters only while nobody holds the address, as nobody preempts
#   OWN_ADDRESS      of this machine
#   PEERS            addresses of the other load balancers, by spaces; may be empty
#   INTERFACE        default: the one that has OWN_ADDRESS
#   ENDPOINT_PORT    where somebody answers at the address who holds it
#   TOLD_SECONDS     how long a new one waits for the holder to speak to it, default 30
#   YIELD_SECONDS    how long the holder waits, in remove, for others to go before it; default 8
#   ON_DESTROY, OWN  see found/staying.sh; with wipe it stops in any case
#
# part: keepalived/config.sh
# part: keepalived/peers.sh
# part: keepalived/handover.sh
# part: found/staying.sh
# part: found/files.sh
# part: found/packages.sh

PACKAGE_OWNER=keepalived

CONFIG="$ROOT/etc/keepalived/keepalived.conf"
CONFIG_BEFORE="$CONFIG.before-triad"
WATCH="$ROOT/usr/local/lib/triad/haproxy-answers"
# Stands from before the file is written until keepalived has read it; a boot, which reads it too, clears it.
PENDING="$ROOT/run/triad/keepalived-reload"

ensure() {
  require VIRTUAL_ADDRESS PREFIX_LENGTH ROUTER_ID PRIORITY OWN_ADDRESS ENDPOINT_PORT
  # One that a Triad without this memory has set up runs for Triad.
  if ! ours; then
    keep_service keepalived
    keep_found_folders /etc/keepalived /usr/local/lib/triad
  fi
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
  if stays "the endpoint on this load balancer"; then
    result '{"changed":false,"kept":true}'
    return
  fi
  if systemctl is-active --quiet keepalived && ours; then
    if [[ ${ON_DESTROY:-} == wipe ]]; then
      systemctl disable --now keepalived
    elif ! hand_over; then
      # A server that has left is told of no other server any more: it must not hold the endpoint for good.
      [[ ${OWN:-} != true ]] ||
        fail "no other server's load balancer takes the endpoint over" "its clients would lose the API" \
          "see that keepalived and HAProxy run on another server, then run this again"
      warn "this is the last load balancer of the endpoint: it goes on, since workers and servers reach the API by it"
      result '{"changed":false,"kept":true}'
      return
    fi
    changed=true
  fi
  if [[ -e $CONFIG_BEFORE ]]; then
    mv -f "$CONFIG_BEFORE" "$CONFIG"
    changed=true
  elif ours; then
    remove_file "$CONFIG"
  fi
  remove_file "$WATCH" "$PENDING"
  restore_service keepalived
  release_packages
  restore_folders
  forget_found
}

endpoint_answers() {
  timeout 1 bash -c "exec 3<>/dev/tcp/$VIRTUAL_ADDRESS/$ENDPOINT_PORT"
}

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

is_active() {
  local state
  state=$(systemctl is-active keepalived) || true
  printf 'systemd says %s' "$state"
  [[ $state == active ]]
}

ensure_running() {
  if ! is_active >/dev/null; then
    await_holder
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
