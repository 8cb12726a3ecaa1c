# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # the header and lib.sh set what is read here
#
# Keeps a server from coming up out of a checkpoint of its disk. The guard is written before the checkpoint is taken and
# removed afterwards, so it is in the checkpoint alone: a unit that starts in another boot than the one it was written in is
# skipped, and not tried again. A machine that is rolled back boots, whoever did it. The snapshot keeps no memory.
#   ensure  writes the guard
#   remove  {"changed","was"}: takes it away; whether it was there
#   start   {"at"}: takes it away and starts the server; this machine's clock before that
#   check   {"guarded","here","active","checkpoint","macs"}: also by which addresses Proxmox knows the machine
# Variables: UNIT (k3s; with kubeadm kubelet, without which nobody starts etcd's pod), CHECKPOINT (its name; ensure),
#   SECONDS_TO_LIVE (ensure; what takes it away when whoever is to is killed: else the next reboot would not end well).
#
# part: checkpoint/guard.sh

EXTRA_VERBS=start
readonly EXPIRY=triad-checkpoint-guard

ensure() {
  require CHECKPOINT SECONDS_TO_LIVE
  of_unit
  local boot checkpoint
  boot=$(<"$ROOT$BOOT_ID")
  checkpoint=$(checkpoint_of "$GUARD")
  [[ ! -f $GUARD ]] || is_of_this_boot "$GUARD" ||
    fail "this machine was rolled back to $checkpoint, or lost its power while that was taken" \
      "its server does not start, since its data may be old; a checkpoint of it would be of no use" \
      "run make rollback SERVER=<its name> CHECKPOINT=$checkpoint; or, if you know that it was not rolled back, here: rm $GUARD; systemctl daemon-reload; systemctl start $UNIT"
  # First, so that it goes by itself whatever ends this.
  end_expiry
  systemd-run --quiet --collect --unit "$EXPIRY" --on-active "$SECONDS_TO_LIVE" \
    /bin/sh -c "rm -f '$GUARD'; systemctl daemon-reload"
  install_file "$GUARD" 0644 <<<"# Written by Triad: checkpoint $CHECKPOINT.
# Rolled back to it, this server has old data and does not start: see docs/proxmox.md, make rollback.
[Service]
ExecCondition=$(command -v grep) -qsx $boot $BOOT_ID"
  # Also the name of the folder that the guard may have made has to be in the checkpoint.
  sync "$ROOT/etc/systemd/system"
  systemctl daemon-reload
  if [[ $(systemctl show "$UNIT" --property ExecCondition) != *"$boot"* ]]; then
    take_away
    fail "systemd does not heed $GUARD" "rolled back, this server would come up as a member with old data" \
      "it takes systemd 243 or later and a unit $UNIT.service; take triad:proxmox.checkpoints away where there is none"
  fi
}

remove() {
  of_unit
  local was
  was=$(truth test -f "$GUARD")
  take_away
  result "{\"changed\":$changed,\"was\":$was}"
}

start() {
  of_unit
  local at
  at=$(date +%s)
  take_away
  systemctl reset-failed "$UNIT" 2>/dev/null || true
  systemctl start --no-block "$UNIT"
  result "{\"at\":$at}"
}

check() {
  of_unit
  result "{\"guarded\":$(truth test -f "$GUARD"),\"here\":$(truth is_of_this_boot "$GUARD"),\"active\":$(truth is_active),\"checkpoint\":$(json_string "$(checkpoint_of "$GUARD")"),\"macs\":[$(macs)]}"
}

macs() {
  local file separator=''
  for file in "$ROOT"/sys/class/net/*/address; do
    [[ -s $file ]] || continue
    printf '%s' "$separator"
    json_string "$(<"$file")"
    separator=,
  done
}

# Also one that is about to run, and goes on being that: a machine that has just booted may be about to skip it.
is_active() {
  wait_for 10 "$UNIT to run or to be skipped" has_settled || true
  [[ $last_seen == @(active|activating|reloading) ]]
}

has_settled() {
  local state
  state=$(systemctl is-active "$UNIT") || true
  printf '%s' "$state"
  [[ $state != activating ]]
}

of_unit() {
  require UNIT
  GUARD=$(guard_of "$UNIT")
}

take_away() {
  end_expiry
  remove_file "$GUARD"
  [[ $changed == true ]] || return 0
  # So that a snapshot that somebody else takes from now on has it no more.
  sync "${GUARD%/*}"
  rmdir "${GUARD%/*}" 2>/dev/null || true
  systemctl daemon-reload
}

end_expiry() { systemctl stop "$EXPIRY.timer" 2>/dev/null || true; }
