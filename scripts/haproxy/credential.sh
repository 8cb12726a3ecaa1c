# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in haproxy.sh
#
# A part of haproxy.sh: what servers are asked, and the credential that some want for an answer.

# by_token: whether the servers answer /readyz only to a bearer token. Verbs without CHECK read it off the configuration.
by_token() {
  if [[ -n ${CHECK:-} ]]; then [[ $CHECK == token ]]; else grep -qs '^    http-check send meth GET uri /ping$' "$CONFIG"; fi
}

has_credential() { by_token && [[ -s $TOKEN_FILE && -s $CA_FILE ]]; }

# Without a cluster there is no token, and k3s refuses strangers before it has looked at its storage: all there is to
# ask then is whether it runs.
render_ready_check() {
  local question=/readyz
  if has_credential; then
    question="/readyz hdr Authorization \"Bearer $(<"$TOKEN_FILE")\""
  elif by_token; then
    question=/ping
  fi
  printf '    http-check connect ssl\n    http-check send meth GET uri %s\n    http-check expect status 200\n' "$question"
  ! has_credential || cat <<CONFIG
    # Only the cluster's own API servers may see the token. They all have this name in their certificates.
    default-server verify required ca-file $CA_FILE verifyhost kubernetes
CONFIG
}

alive_question() { if by_token; then printf /ping; else printf '"/readyz?exclude=etcd&exclude=etcd-readiness"'; fi; }

# api_ready ADDRESS:PORT: asks what HAProxy asks
api_ready() {
  local answer path=/readyz
  if has_credential; then
    answer=$(ask_with "$(<"$TOKEN_FILE")" "$CA_FILE" "$1")
  else
    ! by_token || path=/ping
    # The certificate is not looked at, as in HAProxy's own checks: no secret is sent.
    answer=$(ask --insecure "https://$1$path" </dev/null)
  fi
  printf '%s: %s' "$path" "$answer"
  [[ $answer == 200* ]]
}

# ask_with TOKEN CA ADDRESS:PORT: by the name for which HAProxy looks, too. The token never becomes an argument.
ask_with() {
  printf 'header = "Authorization: Bearer %s"\n' "$1" |
    ask --config - --cacert "$2" --resolve "kubernetes:${3##*:}:${3%:*}" "https://kubernetes:${3##*:}/readyz"
}

# ask CURL_ARGUMENT...: prints the HTTP status, 000 for none, and what went wrong
ask() {
  local answer
  answer=$(curl --silent --noproxy '*' --max-time 2 --output /dev/null \
    --write-out '%{http_code} %{errormsg}' "$@" 2>/dev/null) || true
  printf '%s' "${answer% }"
}

credential() {
  require TOKEN CA
  hold_lock haproxy 60
  by_token || fail "HAProxy's configuration on this machine asks servers without a token" \
    "there is nothing to give one to" "run the verb ensure with CHECK=token first"
  [[ $TOKEN =~ ^[A-Za-z0-9._~+/=-]+$ ]] ||
    fail "TOKEN is not a bearer token" "it becomes a line of HAProxy's configuration" "give one of a ServiceAccount"
  local candidate config hash
  candidate=$(mktemp "$CA_FILE.XXXXXXXX")
  printf '%s\n' "$CA" >"$candidate"
  if ! wait_for 10 "a server that accepts the token" accepted_by_one "$candidate"; then
    rm -f "$candidate"
    fail "no server accepts the token: $last_seen" "with it, none would count as ready" \
      "see that this machine reaches the servers, and that they agree on the cluster's authority"
  fi
  rm -f "$candidate"
  install_file "$TOKEN_FILE" 0640 root:haproxy <<<"$TOKEN"
  install_file "$CA_FILE" 0640 root:haproxy <<<"$CA"
  config=$(with_ready_check "$(<"$CONFIG")")
  hash=$(hash_of <<<"$config")
  config=$(printf '%s\n' "$config" | sed "s/^    description triad-.*/    description triad-$hash/")
  install_config "$config"
  ensure_running
  result "{\"changed\":$changed}"
}

# with_ready_check CONFIGURATION: without the values of which the rest was made
with_ready_check() {
  local head=$'\nbackend ready from checks\n' first=$'\n    server '
  local before=${1%%"$head"*} after=${1#*"$head"}
  printf '%s%s%s%s%s' "$before" "$head" "$(render_ready_check)" "$first" "${after#*"$first"}"
}

# accepted_by_one CA: 500 is an answer to somebody who was let in
accepted_by_one() {
  local file state address answer seen=''
  for file in "$STATES"/*; do
    read -r state <"$file"
    [[ $state == ready ]] || continue
    address=$(SERVER=${file##*/} server_address)
    answer=$(ask_with "$TOKEN" "$1" "$address")
    seen+="${seen:+, }${file##*/} answers $answer"
    [[ ! $answer =~ ^(200|500) ]] || return 0
  done
  printf '%s' "${seen:-no server takes connections}"
  return 1
}
