# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh and the header, or read in the scripts that name this part
#
# A part of the scripts for k3s: makes a server's unit, as k3s's own installer does.
# https://docs.k3s.io/installation/configuration

require_version() {
  local seen
  seen=$(k3s_version)
  [[ $seen == "$VERSION" ]] ||
    fail "k3s on this machine is ${seen:-missing}, not $VERSION" \
      "servers of different versions must not meet in one cluster" \
      "bring it to $VERSION, or triad:version to what the servers run"
}

# k3s_unit NAME TYPE COMMAND: the text of a unit as k3s's installer writes it
k3s_unit() {
  printf '%s\n' "# Written by Triad, as k3s's installer would.
[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=$2
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/etc/systemd/system/$1.service.env
# Containers outlive a restart.
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=$(k3s_program) $3"
}

# write_server_unit: a unit that is there, or was until this server left, stays, without the flags on its command line
write_server_unit() {
  local file unit
  # A package's unit, which was kept from starting when this server left.
  [[ ! -L $UNITS/k3s.service ]] || rm -f "$UNITS/k3s.service"
  if server_is_kept && ! has_unit k3s; then
    for file in k3s.service.env k3s.service; do
      [[ ! -f $KEPT_SERVER/$file ]] || cp -p "$KEPT_SERVER/$file" "$UNITS/"
    done
    rm -rf "$KEPT_SERVER"
  fi
  if has_unit k3s; then
    write_server_drop_in
  else
    rm -f "$SERVER_DROP_IN"
    unit=$(k3s_unit k3s notify server)
    install_file "$UNITS/k3s.service" 0644 <<<"$unit"
  fi
}

# write_server_environment TOKEN: beside the token what the agent was given, but for its own way to the cluster
write_server_environment() {
  local lines=''
  lines=$(cat "$ROOT/etc/default/k3s-agent" "$KEPT_AGENT/k3s-agent.service.env" "$UNITS/k3s.service.env" 2>/dev/null |
    grep -vE '^(K3S_URL|K3S_TOKEN|K3S_TOKEN_FILE|K3S_CLUSTER_SECRET)=|^[[:space:]]*$' | sort -u || true)
  [[ -z $1 ]] || lines+="${lines:+$'\n'}K3S_TOKEN='$1'"
  install_file "$UNITS/k3s.service.env" 0600 <<<"$lines"
  # A token in a file has the last word: there it is laid over.
  if [[ -n $1 ]] && grep -qsE '^"?token(-file)?"?[+]?:' "$K3S_ETC/config.yaml" "$K3S_ETC/config.yaml.d"/*; then
    install_file "$TOKEN_CONFIG" 0600 <<<"# Written by Triad: over the token that another file has.
token: \"$1\"
token-file: \"\""
  fi
}

# move_aside PATH FOLDER: kept, never deleted
move_aside() {
  [[ -e $1 ]] || return 0
  install -d -m 0700 "$2"
  info "moving $1 to $2"
  mv "$1" "$2/"
}

# Only what Triad wrote: the machine is no server any more, or not yet.
forget_server_files() {
  rm -f "$K3S_CONFIG" "$TOKEN_CONFIG" "$SERVER_DROP_IN" "$K3S_ETC/k3s.yaml" "$TRIAD_DATA/joined"
  rmdir "$K3S_ETC/config.yaml.d" 2>/dev/null || true
  if grep -qs '^# Written by Triad' "$UNITS/k3s.service"; then
    rm -f "$UNITS/k3s.service" "$UNITS/k3s.service.env"
  fi
  systemctl daemon-reload
}

# forget_half_join: no member counts on this machine; it goes back to what it was
forget_half_join() {
  if has_unit k3s; then
    stop_server "run pulumi up again"
    systemctl disable k3s 2>/dev/null || true
  fi
  move_aside "$K3S_DATA/server" "$TRIAD_DATA/half-join/$(date +%Y%m%dT%H%M%S)"
  forget_server_files
  if agent_is_kept; then put_agent_back; fi
}
