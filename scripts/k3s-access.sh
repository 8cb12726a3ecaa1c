# shellcheck shell=bash
# shellcheck disable=SC2154 # the header and lib.sh set what is read here
#
# Says whether this machine is a k3s server whose API answers, and hands out its administrator's kubeconfig.
#   token   the token by which servers join
# Both answers are secret: they belong in memory only.
#
# part: k3s/service.sh

# shellcheck disable=SC2034 # lib.sh reads it
EXTRA_VERBS=token

check() {
  local kubeconfig="$K3S_ETC/k3s.yaml" ready=false
  if ! has_unit k3s || [[ ! -f $kubeconfig ]]; then
    result '{"server":false,"ready":false}'
    return
  fi
  if api_answers >/dev/null 2>&1; then ready=true; fi
  result "{\"server\":true,\"ready\":$ready,\"kubeconfig\":\"$(base64 -w0 "$kubeconfig")\"}"
}

token() {
  local file="$K3S_DATA/server/token"
  [[ -s $file ]] ||
    fail "$file is missing" "no server can join without the cluster's token" \
      "restore it from a backup; it was written when this server first started"
  result "{\"token\":$(json_string "$(head -n 1 "$file")")}"
}
