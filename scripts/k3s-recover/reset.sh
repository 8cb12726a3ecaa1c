# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh and the other parts, or read there
#
# A part of k3s-recover.sh: where things lie, and k3s's own reset of its etcd.

readonly DB="$K3S_DATA/server/db"
# While both are there k3s does not start.
readonly CLOSED="$RECOVERY/closed"
readonly KEEP_OUT="$UNITS/k3s.service.d/95-triad-recovery.conf"
readonly RESET_UNIT=triad-k3s-reset.service

# k3s refuses a reset while it is told to join a server; what people wrote themselves is theirs to take out.
refuse_server_elsewhere() {
  local where=''
  where=$(grep -lsE "^[\"']?server[\"']?[+]?:" "$K3S_ETC/config.yaml" "$K3S_ETC"/config.yaml.d/* | grep -vF "$K3S_CONFIG" | head -n 1) || true
  if exec_start k3s | grep -qE '^(--server|-s)(=|$)'; then where=$(unit_file k3s); fi
  if unit_lines k3s | grep -q '^ *Environment=.*K3S_URL='; then where=$(unit_file k3s); fi
  [[ -n $where ]] ||
    where=$(grep -lsE '^K3S_URL=.' "$UNITS/k3s.service.env" "$ROOT/etc/default/k3s" "$ROOT/etc/sysconfig/k3s" | head -n 1) || true
  [[ -z $where ]] ||
    fail "$where tells k3s which server to join (server, --server or K3S_URL)" \
      "k3s resets nothing while it has one, and that server may be lost" "take it out there, then $AGAIN"
}

# May be run again after any end of an earlier attempt.
reset() {
  local words said options=(--cluster-reset)
  timeout 60 systemctl stop "$RESET_UNIT" 2>/dev/null || true
  timeout 150 systemctl stop k3s || true
  sed -i '/^server:/d' "$K3S_CONFIG" 2>/dev/null || true
  refuse_server_elsewhere
  if [[ -n ${SNAPSHOT:-} ]]; then
    unpack_snapshot '(^|/)snapshot/[^/]+$'
    # k3s moves this folder aside, and ends where there is none.
    install -d -m 0700 "$DB/etcd"
    options+=("--cluster-reset-restore-path=$unpacked")
    ! names_s3 || options+=(--etcd-s3=false)
    info "k3s makes an etcd of one member from the snapshot"
  else
    [[ ! -e $ATTEMPTED ]] || replace_data "$DB/etcd" "$(kept)/server/etcd"
    info "k3s makes an etcd of one member from this server's own data"
  fi
  touch "$ATTEMPTED"
  # It stands for a reset that has succeeded, but k3s writes it before.
  rm -f "$DB/reset-flag"
  sync "$ATTEMPTED" "$RECOVERY" "$DB"
  mapfile -t words < <(exec_start k3s)
  said=$(timeout 900 systemd-run --quiet --wait --pipe --collect --unit="$RESET_UNIT" \
    --property=EnvironmentFile=-/etc/default/k3s --property=EnvironmentFile=-/etc/sysconfig/k3s \
    --property=EnvironmentFile=-/etc/systemd/system/k3s.service.env --property=LimitNOFILE=1048576 --property=RuntimeMaxSec=890 \
    "${words[@]}" "${options[@]}" 2>&1 </dev/null) || given_up "$said"
  [[ $said == *"has been reset"* ]] || given_up "$said"
  sync -f "$DB"
}

names_s3() { grep -qsE '^["'"'"']?etcd-s3["'"'"']?:' "$K3S_ETC/config.yaml" "$K3S_ETC"/config.yaml.d/*; }

# given_up SAID
given_up() {
  local last
  last=$(grep -E 'level=(error|fatal)|^[Ee]rror|panic' <<<"$1" | tail -n 3 | cut -c1-400 | without_secrets) || true
  fail "k3s did not reset its etcd; it said last: ${last:-$(tail -n 2 <<<"$1" | cut -c1-400 | without_secrets)}" \
    "this server has no etcd that could serve; it stays stopped, and what it held is in $(kept)" \
    "mend what it names, or recover from a snapshot (SNAPSHOT=<path>), then $AGAIN; a snapshot from before k3s token rotate needs the token of then"
}
