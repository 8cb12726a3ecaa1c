# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh and the header, or read in the scripts that name this part
#
# A part of the scripts for k3s: the agent of a machine that becomes a server, kept for the way back. Its containers go on
# meanwhile, as its unit ends the main process only.

KEPT_AGENT="$ROOT/var/lib/triad/agent"
readonly AGENT_FILES="k3s-agent.service k3s-agent.service.env"

agent_is_kept() { [[ -f $KEPT_AGENT/k3s-agent.service ]]; }

# k3s-agent-uninstall.sh would wipe the server too, so it goes with the agent.
set_agent_aside() {
  local file uninstall="$ROOT/usr/local/bin/k3s-agent-uninstall.sh"
  [[ $(unit_file k3s-agent) == "$UNITS/k3s-agent.service" ]] ||
    fail "the agent's unit is $(unit_file k3s-agent), not in $UNITS" \
      "it is not from k3s's installer, and would come back beside the server" \
      "move it to $UNITS, or remove the agent by hand"
  info "ending the agent; its containers go on"
  install -d -m 0700 "$KEPT_AGENT"
  for file in k3s-agent.service.env k3s-agent.service; do
    [[ ! -f $UNITS/$file ]] || cp -p "$UNITS/$file" "$KEPT_AGENT/"
  done
  sync "$KEPT_AGENT"
  systemctl disable k3s-agent
  timeout 120 systemctl stop k3s-agent ||
    fail "the agent does not end" "two kubelets on one machine would destroy each other's pods" \
      "see systemctl status k3s-agent there, then run pulumi up again"
  for file in $AGENT_FILES; do rm -f "$UNITS/$file"; done
  if [[ -e $uninstall ]]; then mv -f "$uninstall" "$KEPT_AGENT/"; fi
  systemctl daemon-reload
}

put_agent_back() {
  local file
  info "putting the agent back"
  for file in $AGENT_FILES; do
    [[ ! -f $KEPT_AGENT/$file ]] || cp -p "$KEPT_AGENT/$file" "$UNITS/"
  done
  file="$KEPT_AGENT/k3s-agent-uninstall.sh"
  if [[ -e $file ]]; then mv -f "$file" "$ROOT/usr/local/bin/"; fi
  systemctl daemon-reload
  systemctl enable k3s-agent
  systemctl start --no-block k3s-agent
  if wait_for 90 "the agent to run" agent_runs; then rm -rf "$KEPT_AGENT"; fi
}

agent_runs() {
  systemctl is-active k3s-agent && kubelet_healthy
}

kubelet_healthy() { curl --silent --show-error --fail --max-time 2 http://127.0.0.1:10248/healthz; }
