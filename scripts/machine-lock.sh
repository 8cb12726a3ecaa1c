# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Runs one disruptive script on this machine, at most one at a time, as a transient systemd unit. The unit outlives the
# connection that started it: a later run finds it by its name and waits for it instead of starting a second one.
#   ensure  runs PAYLOAD, or waits for it where it is already under way
#   settle  waits for whatever is under way
# Variables: ACT (what is done, for the log), PAYLOAD (a composed script, may hold secrets), VERB, LIMIT (seconds).

EXTRA_VERBS=settle
readonly UNIT=triad-act.service
readonly WORK=/run/triad/act

ensure() {
  umask 077
  mkdir -p "$WORK"
  if unit_runs && [[ $(systemctl show "$UNIT" -P Description) != "$ACT" ]]; then
    info "waiting for \"$(systemctl show "$UNIT" -P Description)\", which runs on this machine"
    wait_for "$LIMIT" "the act under way on this machine to end" unit_ended ||
      fail "another act still runs after $LIMIT s" "two at once could break the server" \
        "see journalctl -u $UNIT on this machine"
  fi
  if unit_runs; then
    info "\"$ACT\" already runs on this machine: waiting for it"
  else
    start_unit
  fi
  follow_unit
}

settle() {
  if ! unit_runs; then
    result '{"underWay":false}'
    return
  fi
  ACT=$(systemctl show "$UNIT" -P Description)
  info "\"$ACT\" is still under way on this machine: waiting for it"
  follow
  result '{"underWay":true}'
}

start_unit() {
  systemctl reset-failed "$UNIT" 2>/dev/null || true
  rm -f "$WORK"/status "$WORK"/stdout "$WORK"/stderr
  touch "$WORK/stdout" "$WORK/stderr"
  printf '%s\n' "$PAYLOAD" >"$WORK/script"
  # The script may hold secrets: its file is gone before it does anything.
  systemd-run --quiet --unit="$UNIT" --description="$ACT" --collect \
    --property=StandardOutput=file:"$WORK/stdout" --property=StandardError=file:"$WORK/stderr" \
    --setenv=HOME=/root /bin/bash -c "exec <$WORK/script; rm -f $WORK/script; status=0
      /bin/bash -s -- $VERB || status=\$?; echo \$status >$WORK/status" </dev/null
}

follow_unit() {
  local status
  follow
  status=$(cat "$WORK/status" 2>/dev/null || echo 137)
  if [[ $status != 0 ]]; then exit "$status"; fi
  result "$(tail -n 1 "$WORK/stdout")"
}

follow() {
  tail --lines=+1 --follow "$WORK/stderr" >&2 2>/dev/null </dev/null &
  local tail_pid=$!
  if ! wait_for "$LIMIT" "\"$ACT\" to end" unit_ended; then
    kill "$tail_pid"
    fail "\"$ACT\" still runs after $LIMIT s" "it may need longer, or hang" \
      "see journalctl -u $UNIT there; the next pulumi up waits for it again"
  fi
  sleep 0.2 # tail's last lines
  kill "$tail_pid" 2>/dev/null || true
}

unit_runs() {
  [[ $(systemctl is-active "$UNIT") =~ ^(active|activating|deactivating)$ ]]
}

unit_ended() {
  ! unit_runs
}
