# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # the header and lib.sh set what is read here
#
# Points this machine's k3s agent to the endpoint, wherever its server is said: on its unit's command line, in a
# configuration file, or in its environment. Its containers go on while it restarts.
#   restore  the way back when the Node does not become Ready through the endpoint
# Variables: ENDPOINT (name:port), STARTED_AFTER (seconds since 1970: an agent that started before is restarted too;
#   empty for never).
#
# part: k3s/service.sh
# part: k3s/agent.sh

EXTRA_VERBS=restore
readonly KEPT="$ROOT/var/lib/triad/client-before-endpoint"

ensure() {
  require ENDPOINT
  has_unit k3s-agent ||
    fail "this machine has no k3s-agent.service" "it is no worker of any k3s cluster" \
      "join it with k3s as an agent, or take it off workers"
  if [[ $(pointed_to) == "https://$ENDPOINT" ]]; then
    started_too_early || return 0
    info "restarting the agent: it has watched the cluster since before its data moved"
  else
    point_to "https://$ENDPOINT"
  fi
  changed=true
  restart_agent ||
    {
      put_back
      fail "the agent did not become healthy within 90 s after its restart; seen last: $last_seen" \
        "the worker would be lost to the cluster" \
        "it is pointed to where it was again; read journalctl -u k3s-agent on it, then run pulumi up again"
    }
}

restore() {
  put_back
  changed=true
}

check() { result "{\"server\":$(json_string "$(pointed_to)")}"; }

# k3s takes the command line before files, and these before the environment; of files the last one counts.
where_it_is_said() {
  local file last=''
  if exec_start k3s-agent | grep -qE '^(--server|-s)(=|$)'; then
    for file in "$(unit_file k3s-agent)" "$UNITS/k3s-agent.service.d"/*.conf; do
      if [[ -f $file ]] && grep -q 'https://' "$file"; then last=$file; fi
    done
  else
    for file in "$K3S_ETC/config.yaml" "$K3S_ETC/config.yaml.d"/*; do
      if [[ -f $file && ${file,,} =~ \.ya?ml$ ]] && grep -qE '^"?server"?:' "$file"; then last=$file; fi
    done
  fi
  printf '%s' "${last:-$UNITS/k3s-agent.service.env}"
}

pointed_to() {
  local file
  file=$(where_it_is_said)
  case $file in
    *.env) sed -n 's/^K3S_URL=//p' "$file" 2>/dev/null ;;
    *.yaml | *.yml) sed -nE 's/^"?server"?: *//p' "$file" ;;
    *) exec_start k3s-agent | grep -A1 -E '^(--server|-s)(=|$)' | grep -o 'https://.*' ;;
  esac | tr -d "'\" " | sed 's/#.*//;s,/$,,' | tail -n 1
}

point_to() {
  local file now
  file=$(where_it_is_said)
  now=$(pointed_to)
  [[ -n $now ]] ||
    fail "nothing on this machine says which server its agent joins" "it cannot be moved" \
      "set K3S_URL in $UNITS/k3s-agent.service.env"
  info "pointing the agent from $now to $1"
  install -d -m 0700 "$KEPT"
  printf '%s' "$file" >"$KEPT/path"
  cp -p "$file" "$KEPT/file"
  cp -p "$file" "$file.triad"
  sed -i "s|${now//./\\.}|$1|" "$file.triad"
  mv -f "$file.triad" "$file"
}

put_back() {
  if [[ -f $KEPT/file ]]; then cp -p "$KEPT/file" "$(<"$KEPT/path")"; fi
  restart_agent || true
}

restart_agent() {
  systemctl daemon-reload
  systemctl restart --no-block k3s-agent
  wait_for 90 "the agent to be healthy" agent_restarted
}

agent_restarted() {
  [[ $(systemctl is-active k3s-agent) == active ]] || { printf 'its unit is %s' "$(systemctl is-active k3s-agent)"; return 1; }
  kubelet_healthy
}

started_too_early() {
  local started
  [[ -n ${STARTED_AFTER:-} ]] || return 1
  started=$(date -d "$(systemctl show k3s-agent --property ExecMainStartTimestamp --value)" +%s)
  ((started < STARTED_AFTER))
}
