# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in keepalived.sh
#
# A part of keepalived.sh: the endpoint goes over to another load balancer, or stays.
#
# Several may be removed at the same moment, and none knows of the others' removal. Sound is: whoever has stopped and sees
# nobody else answer starts again, so the last one always stays. Smooth is: the holder lets the others go first, and
# does not even stop where none is left.

readonly AGAIN=triad-keepalived-again

# hand_over: stops keepalived for good if another load balancer holds the endpoint then; fails where it goes on
hand_over() {
  if [[ $(holds_address) == true ]] && ! has_heirs; then return 1; fi
  # This run may be killed while keepalived is stopped, and nobody else would start it again.
  systemctl stop "$AGAIN.timer" 2>/dev/null || true
  systemd-run --quiet --collect --unit="$AGAIN" --on-active=20 systemctl start keepalived
  systemctl stop keepalived
  if wait_for 4 "another load balancer to take the endpoint over" endpoint_answers; then
    systemctl disable keepalived
    systemctl stop "$AGAIN.timer"
    no_heir_any_more
    return 0
  fi
  systemctl start keepalived
  systemctl stop "$AGAIN.timer"
  return 1
}

# has_heirs: whether another load balancer goes on, once those that are removed with this one have gone. Where this one
# shows no statistics, nor do they: then there may be one.
has_heirs() {
  local patience=${YIELD_SECONDS:-8} deadline=$SECONDS
  grep -qs '^frontend statistics' "$ROOT/etc/haproxy/haproxy.cfg" || return 0
  if [[ ${OWN:-} == true ]]; then
    # Those of servers never all go: another one may just be busy.
    wait_for "$patience" "another server's load balancer" an_heir
    return
  fi
  deadline=$((deadline + patience))
  while an_heir >/dev/null; do
    ((SECONDS < deadline)) || return 0
    sleep 0.5
  done
  return 1
}

# keepalived takes the address only beside a HAProxy that runs, and that shows its statistics to the others.
an_heir() {
  local peer
  for peer in ${PEERS:-}; do
    # shellcheck disable=SC2016 # expanded by the inner bash
    ! timeout 1 bash -c 'exec 3<>"/dev/tcp/$1/8404"' heir "$peer" 2>/dev/null || return 0
  done
  printf 'no answer at port 8404 of %s' "${PEERS:-nobody}"
  return 1
}

# HAProxy goes next; until then the one that lets this one go first must not take it for an heir.
no_heir_any_more() {
  printf 'disable frontend statistics\n' |
    timeout 3 socat -t 1 - "UNIX-CONNECT:$ROOT/run/haproxy/triad.sock" >/dev/null 2>&1 || true
}
