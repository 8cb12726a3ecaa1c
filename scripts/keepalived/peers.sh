# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in keepalived.sh
#
# A part of keepalived.sh: the other load balancers, who come and go.

render_peers() {
  local peer former
  former=$(former_peers)
  printf '    unicast_src_ip %s\n    unicast_peer {\n' "$OWN_ADDRESS"
  for peer in ${PEERS:-}; do printf '        %s\n' "$peer"; done
  for peer in $former; do printf '        %s # left the list\n' "$peer"; done
  [[ -n ${PEERS:-}$former ]] || printf '        %s # itself\n' "$VIRTUAL_ADDRESS"
  printf '    }\n'
}

# Those in the configuration on disk that PEERS lacks. Those that had left before are forgotten once the list changes.
former_peers() {
  local peer mark listed='' left='' gone=''
  ours || return 0
  while read -r peer mark; do
    case $mark in
      '') listed+="$peer " ;;
      '# left the list') left+="$peer " ;;
    esac
  done < <(sed -n '/unicast_peer {/,/}/{/[{}]/!p}' "$CONFIG")
  for peer in $listed; do [[ " ${PEERS:-} " == *" $peer "* ]] || gone+="$peer "; done
  if [[ -n $gone ]]; then
    printf '%s' "$gone"
  elif [[ $(wc -w <<<"$listed") == $(wc -w <<<"${PEERS:-}") ]]; then
    printf '%s' "$left"
  fi
}

# hears_holder: whether the one that holds the address sends its advertisements here
hears_holder() {
  local version
  version=$(family "$OWN_ADDRESS")
  printf 'no advertisement came to %s' "$OWN_ADDRESS"
  [[ -n $(timeout 2 socat -u "IP${version#-}-RECV:112,bind=$OWN_ADDRESS" - 2>/dev/null | head -c 1 | base64) ]]
}

# Started before it is among the holder's peers it would hear nobody and take the address as well.
await_holder() {
  if [[ $(holds_address) == true ]] || ! endpoint_answers 2>/dev/null; then return 0; fi
  info "waiting for the holder of $VIRTUAL_ADDRESS to speak to this machine"
  wait_for "${TOLD_SECONDS:-30}" "the holder of $VIRTUAL_ADDRESS" hears_holder ||
    warn "two machines hold $VIRTUAL_ADDRESS until the other knows this one: run keepalived.sh ensure there"
}
