# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # the header and lib.sh set what is read here
#
# How k3s is told to run on this machine.
#   check    all that says so: command line, environment, files. On a machine that is an agent, or was until a join that
#            did not finish, what it is told as one. The answer may hold the cluster's token: it belongs in memory only
#   ensure   puts Triad's file in place, ends the flags of the command line, and restarts k3s if that changed anything;
#            what does not come up is put back
# Variables: CONFIG (text of Triad's file), AUDIT_POLICY (text, empty for none).
#
# part: k3s/service.sh
# part: k3s/agent.sh

check() {
  local unit=k3s owed=false leaving=false password=false
  [[ ! -f $LEAVING ]] || leaving=true
  [[ ! -f $TRIAD_DATA/config-pending ]] || owed=true
  [[ ! -s $ROOT/etc/rancher/node/password ]] || password=true
  if ! has_unit k3s && ! has_unit k3s-agent; then
    if agent_is_kept; then UNITS=$KEPT_AGENT; elif server_is_kept; then UNITS=$KEPT_SERVER; fi
  fi
  has_unit k3s || unit=k3s-agent
  result "{\"arguments\":$(command_line "$unit"),\"environment\":$(environment "$unit"),\"files\":$(config_files),\"datastore\":\"$(datastore)\",\"version\":$(json_string "$(k3s_version)"),\"auditPolicySha256\":\"$(policy_sum)\",\"restartOwed\":$owed,\"leaving\":$leaving,\"nodePassword\":$password}"
}

policy_sum() {
  local sum
  sum=$(sha256sum <"$TRIAD_DATA/audit-policy.yaml" 2>/dev/null) || return 0
  printf '%s' "${sum%% *}"
}

# command_line UNIT: after the program's name
command_line() {
  local word separator='' list=''
  if has_unit "$1"; then
    while IFS= read -r word; do
      list+="$separator$(json_string "$word")"
      separator=,
    done < <(exec_start "$1" | tail -n +2)
  fi
  printf '[%s]' "$list"
}

# environment UNIT: the variables that k3s reads, those of later files last
environment() {
  local line value separator='' list=''
  while IFS= read -r line; do
    value=${line#*=}
    if [[ $value =~ ^\'(.*)\'$ || $value =~ ^\"(.*)\"$ ]]; then value=${BASH_REMATCH[1]}; fi
    list+="$separator$(json_string "${line%%=*}"):$(json_string "$value")"
    separator=,
  done < <(environment_lines "$1" | { grep '^K3S_[A-Z0-9_]*=' || true; } | last_of_each)
  printf '{%s}' "$list"
}

environment_lines() {
  local line
  if has_unit "$1"; then
    while IFS= read -r line; do words "$line"; done < <(unit_lines "$1" | sed -n 's/^[[:space:]]*Environment=//p')
  fi
  cat "$ROOT/etc/default/$1" "$ROOT/etc/sysconfig/$1" "$UNITS/$1.service.env" 2>/dev/null || true
}

last_of_each() { awk -F= '{ line[$1] = $0 } END { for (name in line) print line[name] }' | sort; }

# In the order in which k3s reads them.
config_files() {
  local file separator='' list=''
  for file in "$K3S_ETC/config.yaml" "$K3S_ETC/config.yaml.d"/*; do
    [[ -f $file && ${file,,} =~ \.ya?ml$ ]] || continue
    list+="$separator{\"path\":$(json_string "${file#"$ROOT"}"),\"text\":$(json_string "$(cat "$file")")}"
    separator=,
  done
  printf '[%s]' "$list"
}

ensure() {
  require CONFIG
  local pending="$TRIAD_DATA/config-pending" kept pid said
  kept="$TRIAD_DATA/config/$(date +%Y%m%dT%H%M%S)"
  install -d -m 0700 "$kept"
  keep_file "$K3S_CONFIG" "$kept"
  keep_file "$SERVER_DROP_IN" "$kept"
  keep_file "$TRIAD_DATA/audit-policy.yaml" "$kept"
  # A run that was cut off after it wrote the files still owes the restart.
  if [[ -f $pending ]]; then changed=true; fi
  touch "$pending"
  write_config "$CONFIG"
  write_server_drop_in
  write_audit_policy "${AUDIT_POLICY:-}"
  if [[ $changed == false ]]; then
    rm -rf "$pending" "$kept"
    return
  fi
  info "k3s restarts with another configuration (the old one is kept in $kept)"
  pid=$(main_pid)
  systemctl daemon-reload
  start_server restart
  wait_for 240 "k3s to be ready with its new configuration" up_or_failing "$pid" || true
  if server_up "$pid" >/dev/null 2>&1; then
    rm -f "$pending"
    return
  fi
  said=$(last_complaint)
  put_back "$kept"
  rm -f "$pending"
  fail "k3s did not become ready with its new configuration; it said last: ${said:-nothing}" \
    "this server would be lost to the cluster" \
    "its old configuration is back; mend triad:k3s.config, triad:apiServer or triad:etcd, and run pulumi up again"
}

# keep_file FILE FOLDER
keep_file() { [[ ! -f $1 ]] || cp -p "$1" "$2/"; }

# A server that ended four times with an error ends a fifth time with it.
up_or_failing() { up_or_hopeless "$1" || (($(journal | grep -c 'level=fatal') >= 4)); }

put_back() {
  local file pid
  info "putting the old configuration back"
  for file in "$K3S_CONFIG" "$SERVER_DROP_IN" "$TRIAD_DATA/audit-policy.yaml"; do
    if [[ -f $1/${file##*/} ]]; then cp -p "$1/${file##*/}" "$file"; else rm -f "$file"; fi
  done
  pid=$(main_pid)
  systemctl daemon-reload
  start_server restart
  wait_for 240 "k3s to be ready with its old configuration" server_up "$pid" >/dev/null || true
}
