# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # the header and lib.sh set what is read here
#
# Creates a new cluster with this machine as its initial server, on etcd from the start.
# Variables: CONFIG (text of Triad's file, with cluster-init), VERSION, AUDIT_POLICY (text, empty for none).
#
# part: k3s/service.sh
# part: k3s/agent.sh
# part: k3s/install.sh

ensure() {
  require CONFIG VERSION
  if has_unit k3s && [[ $(datastore) == etcd ]] && api_answers >/dev/null 2>&1; then
    result '{"changed":false}'
    return
  fi
  if [[ $(datastore) != none && ! -f $TRIAD_DATA/initialising ]]; then
    fail "$K3S_DATA/server/db holds the data of a $(datastore) datastore, and no server runs on it" \
      "a cluster may have lived here, and a new one would take its place" \
      "start k3s on this machine, or move $K3S_DATA/server away if the data is worthless"
  fi
  if has_unit k3s-agent; then
    fail "this machine is an agent of a k3s cluster" "it cannot be the initial server of a new one as well" \
      "describe that cluster's server under triad:machines, or remove the agent"
  fi
  require_version
  install_file "$TRIAD_DATA/initialising" 0600 <<<"k3s $VERSION"
  write_config "$CONFIG"
  write_audit_policy "${AUDIT_POLICY:-}"
  write_server_unit
  write_server_environment ''
  systemctl daemon-reload
  systemctl enable k3s
  info "creating a new cluster, k3s $VERSION"
  start_server start
  wait_for 420 "k3s to be ready" up_or_hopeless 0 || true
  server_up 0 >/dev/null 2>&1 ||
    fail "k3s is not ready; it said last: $(last_complaint)" "there is no cluster yet" \
      "see journalctl -u k3s on this machine, then run pulumi up again"
  rm -f "$TRIAD_DATA/initialising"
  result '{"changed":true}'
}
