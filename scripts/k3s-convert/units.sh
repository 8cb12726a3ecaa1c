# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# k3s's unit during a conversion: the guard, Triad's configuration, stop and start.

readonly GUARD=/usr/local/lib/triad/k3s-conversion-guard
readonly DROPINS=/etc/systemd/system/k3s.service.d
# Only until the next boot: from then on the guard decides, and k3s may need several attempts as on any boot. Another name than the one in /etc, which would hide it.
readonly NO_RESTART=/run/systemd/system/k3s.service.d/61-triad-conversion.conf

# All of it is on the disk before k3s is stopped, and none of it is read before k3s starts again.
install_guard() {
  local file
  install -d -m 0700 "$CONVERSION"
  sync "${CONVERSION%/*}"
  rm -rf "$CONVERSION/before"
  install -d -m 0700 "$CONVERSION/before"
  for file in "$K3S_CONFIG" "$SERVER_DROP_IN"; do
    [[ ! -e $file ]] || cp -p "$file" "$CONVERSION/before/"
  done
  grep -v '^cluster-init:' <<<"${CONFIG%$'\n'}" | install_file "$CONVERSION/back.yaml" 0600
  sync "$CONVERSION/before"
  guard_text | install_file "$ROOT$GUARD" 0755
  install_file "$ROOT$DROPINS/60-triad-conversion.conf" 0644 <<<"[Service]
ExecStartPre=$ROOT$GUARD"
  install_file "$ROOT$NO_RESTART" 0644 <<<'[Service]
Restart=no'
  write_phase copying
  write_config "$CONFIG"
  write_server_drop_in
  systemctl daemon-reload
  [[ $(systemctl show k3s.service -P ExecStartPre) == *"$GUARD"* &&
    $(systemctl show k3s.service -P Restart) == no ]] ||
    fail "systemd did not take the guard of $DROPINS/60-triad-conversion.conf" \
      "a power cut during the copy could bring up half a cluster" \
      "look for drop-ins of k3s.service that come later (systemctl cat k3s)"
}

remove_guard() {
  remove_file "$ROOT$DROPINS/60-triad-conversion.conf" "$ROOT$NO_RESTART" "$ROOT$GUARD" "$PERMIT"
  sync "$ROOT$DROPINS"
  systemctl daemon-reload
}

# As it was before the conversion, to the letter.
restore_configuration() {
  local path file
  for path in "$K3S_CONFIG" "$SERVER_DROP_IN"; do
    file=$CONVERSION/before/${path##*/}
    if [[ -e $file ]]; then
      # shellcheck disable=SC2094 # only its mode
      install_file "$path" "$(stat -c %a "$file")" <"$file"
    else
      remove_file "$path"
    fi
    [[ ! -d ${path%/*} ]] || sync "${path%/*}"
  done
}

k3s_state() { systemctl is-active k3s.service 2>/dev/null || true; }

k3s_runs() { [[ $(k3s_state) =~ ^(active|activating|reloading)$ ]]; }

stop_k3s() {
  timeout 180 systemctl stop k3s.service || true
  ! k3s_runs && [[ $(k3s_state) != deactivating ]]
}

# Never waits: the unit is Type=notify without a limit, and a start that hangs would hang here too.
start_k3s() { start_server start; }

# The last of its log since a moment, without what could be a secret.
k3s_said() {
  journalctl -u k3s.service --since "@$1" --no-pager -o cat -n 400 2>/dev/null </dev/null |
    grep -E 'level=(warning|error|fatal)|panic|^[Ee]rror' | tail -n 8 |
    sed -E 's/K10[0-9a-f]{16,}\S*/(token)/g; s#://[^:/@ ]+:[^@ ]+@#://(user)@#g; s/(token|password|secret|authorization)([=:" ]+)[^ ",}]+/\1\2(hidden)/Ig; s/^/  k3s: /' >&2 || true
}
