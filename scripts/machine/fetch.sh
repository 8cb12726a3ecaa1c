# shellcheck shell=bash
#
# A part of machine.sh and k3s-machine.sh: downloads.

# fetch URL FILE: tries again after passing faults, and gives up on a source that hangs
fetch() {
  curl --fail --silent --show-error --location --retry 3 --retry-delay 1 --retry-all-errors \
    --connect-timeout 10 --speed-limit 1000 --speed-time 30 --max-time 900 --output "$2" "$1"
}
