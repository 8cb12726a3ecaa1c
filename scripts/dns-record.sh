# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, or read there
#
# The endpoint's A record, by RFC 2136 with a TSIG key. Runs on a machine that reaches the DNS server.
#
# Verbs
#   ensure   the name has this address alone: a stale A, AAAA or CNAME of it is replaced in the same update
#   check    what the server answers
#   remove   with wipe takes the record away if it still has our address; one that somebody has redirected stays. Without,
#            it stays: the cluster goes on, and its clients find it by this name
#
# Variables
#   DNS_SERVER, DNS_PORT   the zone's primary; the port by default 53
#   ZONE, NAME, ADDRESS, TTL    NAME in full, TTL in seconds
#   TSIG_NAME, TSIG_ALGORITHM, TSIG_SECRET    the key; the secret reaches nsupdate by its standard input
#   ON_DESTROY             leave (default), forget or wipe
#
# part: found/packages.sh

PACKAGE_OWNER=dns-record

ensure() {
  require_all
  ensure_packages bind9-dnsutils
  local seen
  seen=$(answers)
  if [[ $seen != "$(wanted)" ]]; then
    info "updating $NAME, which is: ${seen:-nothing}"
    update "update delete $NAME. A
update delete $NAME. AAAA
update delete $NAME. CNAME
update add $NAME. $TTL A $ADDRESS"
    changed=true
    wait_for 10 "$NAME on $DNS_SERVER" is_as_wanted ||
      fail "$DNS_SERVER took the update of $NAME, but answers: $last_seen" \
        "clients would reach another address, or none" "look whether something else updates the name"
  fi
  result "{\"changed\":$changed,\"address\":$(json_string "$ADDRESS")}"
}

check() {
  require_all
  local seen correct=false
  seen=$(answers)
  [[ $seen != "$(wanted)" ]] || correct=true
  result "{\"changed\":false,\"correct\":$correct,\"answer\":$(json_string "$seen")}"
}

remove() {
  if [[ ${ON_DESTROY:-} != wipe ]]; then
    info "the endpoint's record stays: the cluster's clients find it by this name"
    result '{"changed":false,"kept":true}'
    return
  fi
  require_all
  ensure_packages bind9-dnsutils
  local seen
  seen=$(answers)
  if grep -qE " A ${ADDRESS//./\\.}\$" <<<"$seen"; then
    update "update delete $NAME. A $ADDRESS"
    changed=true
  elif [[ -n $seen ]]; then
    info "$NAME is $seen, not $ADDRESS: left as it is"
  fi
  release_packages
}

require_all() {
  require DNS_SERVER ZONE NAME ADDRESS TTL TSIG_NAME TSIG_ALGORITHM TSIG_SECRET
  local value
  for value in "$DNS_SERVER" "${DNS_PORT:-53}" "$ZONE" "$NAME" "$ADDRESS" "$TTL" "$TSIG_NAME" "$TSIG_ALGORITHM" "$TSIG_SECRET"; do
    # A newline or a blank would begin another statement of nsupdate.
    [[ $value =~ ^[A-Za-z0-9._:+/=-]+$ ]] ||
      fail "a value of the DNS record holds a character that none may hold" \
        "nsupdate would take it for a statement" "check dns and the endpoint's name in the config"
  done
  [[ $NAME == *".$ZONE" ]] ||
    fail "$NAME is not in the zone $ZONE" "its server would refuse the update" "correct the endpoint's name or the zone"
}

wanted() { printf '%s A %s' "$TTL" "$ADDRESS"; }

is_as_wanted() {
  answers
  [[ $(answers) == "$(wanted)" ]]
}

# Records of the name, sorted, a line each: TTL, type, value.
answers() {
  local type output records='' status
  for type in A AAAA CNAME; do
    status=0
    output=$(dig "@$DNS_SERVER" -p "${DNS_PORT:-53}" +norecurse +noall +comments +answer +time=2 +tries=2 "$NAME." "$type" 2>&1) || status=$?
    if ((status != 0)) || [[ $output != *"status: NOERROR"* && $output != *"status: NXDOMAIN"* ]]; then
      fail "$DNS_SERVER does not answer for $NAME: $(grep -oE 'status: [A-Z]+' <<<"$output" || tail -n 1 <<<"$output")" \
        "the record can be neither seen nor set" "check the DNS server's address and port, and that it serves $ZONE"
    fi
    # An A or AAAA question is answered with the CNAME too, and with what that leads to: own records only.
    records+=$(awk -v name="${NAME,,}." -v type="$type" '$0 !~ /^;/ && tolower($1) == name && $4 == type { print $2, $4, $5 }' <<<"$output")$'\n'
  done
  sort <<<"$records" | sed '/^$/d'
}

# update STATEMENTS: in one message, so all of them or none
update() {
  local answer
  answer=$(
    nsupdate -t 10 2>&1 <<UPDATE
server $DNS_SERVER ${DNS_PORT:-53}
zone $ZONE.
key $TSIG_ALGORITHM:$TSIG_NAME $TSIG_SECRET
$1
send
UPDATE
  ) || fail "$DNS_SERVER refused the update of $NAME: ${answer//$'\n'/ }" "the endpoint's name does not lead to its address" \
    "BADKEY, BADSIG: the key's name, algorithm or secret differ; BADTIME: a clock is wrong; REFUSED: allow the key to update $ZONE; NOTAUTH: not the zone's primary"
}
