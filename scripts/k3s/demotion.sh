# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh and the header, or read in the scripts that name this part
#
# A part of k3s-leave.sh: an agent in place of a server that never was one. Its containers, images, volumes, node password
# and Node stay; what it was told about itself as a server goes on as an agent's.

# An agent ends at a key that it does not know; of those that it knows, the ones that say which cluster it belongs to are
# written anew.
# https://docs.k3s.io/cli/agent
readonly AGENT_KEYS="v vmodule log alsologtostderr debug data-dir d node-name with-node-id node-label node-taint
  image-credential-provider-bin-dir image-credential-provider-config selinux lb-server-port protect-kernel-defaults
  container-runtime-endpoint default-runtime image-service-endpoint disable-default-registry-endpoint
  airgap-extra-registry nonroot-devices pause-image snapshotter private-registry node-ip i bind-address node-external-ip
  node-internal-dns node-external-dns resolv-conf flannel-iface flannel-conf flannel-cni-conf kubelet-arg kube-proxy-arg
  enable-pprof rootless prefer-bundled-bin disable-apiserver-lb docker vpn-auth vpn-auth-file"
readonly AGENT_SWITCHES="alsologtostderr debug with-node-id selinux protect-kernel-defaults
  disable-default-registry-endpoint enable-pprof rootless prefer-bundled-bin disable-apiserver-lb docker"
readonly SERVER_VARIABLES='K3S_(URL|TOKEN|TOKEN_FILE|CLUSTER_SECRET|AGENT_TOKEN|AGENT_TOKEN_FILE|CLUSTER_INIT|CLUSTER_RESET|DATASTORE_[A-Z]+)'

readonly AGENT_CONFIG="$K3S_ETC/config.yaml.d/50-triad-agent.yaml"

# become_agent FOLDER: writes the agent's files where those of one that was promoted would lie; FOLDER has the cold copy
become_agent() {
  local token lines
  require ENDPOINT
  if ! agent_is_kept; then
    token=$(agents_token "$1/server")
    [[ -n $token ]] ||
      fail "there is no token for agents in ${1#"$ROOT"}/server" "without it the machine cannot stay in the cluster" \
        "copy /var/lib/rancher/k3s/server/agent-token of another server there, and run this again"
    install -d -m 0700 "$KEPT_AGENT"
    lines=$(cat "$ROOT"/etc/{default,sysconfig}/k3s "$UNITS/k3s.service.env" "$1/unit/k3s.service.env" 2>/dev/null |
      grep -vE "^$SERVER_VARIABLES=|^[[:space:]]*\$" | sort -u || true)
    lines+="${lines:+$'\n'}K3S_TOKEN='$token'"$'\n'"K3S_URL='$ENDPOINT'"
    install_file "$KEPT_AGENT/k3s-agent.service.env" 0600 <<<"$lines"
    lines=$(k3s_unit k3s-agent exec "agent$(agent_arguments)")
    # The unit last: with it the agent counts as kept.
    install_file "$KEPT_AGENT/k3s-agent.service" 0644 <<<"$lines"
  fi
  rm -f "$TOKEN_CONFIG" "$K3S_ETC/k3s.yaml" "$SERVER_DROP_IN"
  sift_config keep "$AGENT_KEYS"
  # Under a name of its own, so that it outlives another time as a server.
  [[ ! -f $K3S_CONFIG ]] || mv -f "$K3S_CONFIG" "$AGENT_CONFIG"
  # Its own address was one of the servers to which it balanced.
  rm -f "$K3S_DATA"/agent/etc/k3s-*load-balancer.json
}

# agents_token FOLDER: the files may be links to each other by their former paths
agents_token() {
  local name file
  for name in agent-token node-token token; do
    file="$1/$name"
    [[ ! -L $file ]] || file="$1/$(basename "$(readlink "$file")")"
    [[ -s $file ]] || continue
    head -n 1 "$file"
    return
  done
}

# agent_arguments: what an agent understands of the server's command line, as words of a unit
agent_arguments() {
  local word key kept=false
  has_unit k3s || return 0
  while IFS= read -r word; do
    if [[ $word == -* ]]; then
      key=${word%%=*}
      key=${key#-}
      key=${key#-}
      kept=false
      if is_one_of "$key" "$AGENT_KEYS"; then kept=true; fi
      [[ $kept == false ]] || unit_word "$word"
      # What follows a flag with = or without a value is not its value.
      if [[ $word == *=* ]] || is_one_of "$key" "$AGENT_SWITCHES"; then kept=false; fi
    else
      [[ $kept == false ]] || unit_word "$word"
      kept=false
    fi
  done < <(exec_start k3s | tail -n +3)
}

# unit_word WORD: as systemd reads it back
unit_word() {
  local word=$1
  word=${word//\\/\\\\}
  word=${word//\'/\\\'}
  word=${word//%/%%}
  printf " '%s'" "${word//\$/\$\$}"
}

is_one_of() { [[ " ${2//$'\n'/ } " == *" $1 "* ]]; }

# sift_config keep|drop KEYS: of all configuration files; one in which no key is left goes
sift_config() {
  local file text
  for file in "$K3S_ETC/config.yaml" "$K3S_ETC/config.yaml.d"/*; do
    [[ -f $file && ${file,,} =~ \.ya?ml$ ]] || continue
    text=$(sifted "$1" "${2//$'\n'/ }" <"$file")
    if grep -q '^[^#[:space:]]' <<<"$text"; then
      install_file "$file" "$(stat -c %a "$file")" <<<"$text"
    else
      rm -f "$file"
    fi
  done
}

# A key at the beginning of a line has all lines up to the next one.
sifted() {
  awk -v mode="$1" -v keys=" $2 " '
    BEGIN { kept = 1 }
    match($0, /^["\047]?[A-Za-z0-9-]+["\047]?[+]?["\047]?[ \t]*:/) && !/^-/ {
      key = substr($0, 1, RLENGTH)
      gsub(/["\047+: \t]/, "", key)
      kept = (index(keys, " " key " ") > 0) == (mode == "keep")
    }
    # A mapping in braces cannot be read by lines.
    /^[{[]/ { kept = 0 }
    kept || /^#/'
}
