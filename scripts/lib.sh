# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the scripts that follow
#
# What every script stands on. A script never sources this file: composeScript.ts puts it between the
# header of variables and the script, and `main "$@"` after it.
#
# A script defines the functions ensure, remove and check, and names further verbs in EXTRA_VERBS.
#   stdout   one line, the JSON object given to `result`; whatever else a command prints goes to stderr
#   stderr   progress, warnings, and on failure what was seen, why it matters and what to do
#
# TRIAD_ROOT  a folder that stands for / in tests; empty on a machine

ROOT="${TRIAD_ROOT:-}"
# What this machine was before Triad changed it.
FOUND="$ROOT/var/lib/triad/found"
LC_ALL=C
PATH="${PATH:-/usr/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEBIAN_FRONTEND=noninteractive
export LC_ALL PATH DEBIAN_FRONTEND
umask 022

# Whether this run has changed anything; install_file and the scripts set it.
changed=false
# Whether the last install_file wrote, in words of JSON like `changed`.
file_changed=false
# What a wait_for that gave up saw last.
last_seen=
result_given=false

info() { printf '%s\n' "$*" >&2; }

warn() { printf 'warning: %s\n' "$*" >&2; }

# fail SEEN WHY CURE: ends the script
fail() {
  printf 'error: %s\n' "$1" >&2
  printf '  why it matters: %s\n' "${2:-the step cannot go on}" >&2
  printf '  what to do: %s\n' "${3:-see the lines above, then run it again}" >&2
  stop
}

# Ends the script with status 1. Out of a subshell it goes by a status of its own, so that the reason is told once.
stop() {
  ((BASH_SUBSHELL == 0)) || exit 97
  exit 1
}

# require NAME...: variables that the header must have given
require() {
  local name
  for name in "$@"; do
    [[ -n "${!name:-}" ]] ||
      fail "the variable $name is missing or empty" \
        "the script does not know what to do" "give $name to composeScript"
  done
}

# json_string TEXT: prints TEXT as a JSON string, quotes included
json_string() {
  local text=$1 code byte escape
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\r'/\\r}
  text=${text//$'\t'/\\t}
  if [[ $text == *[$'\x01'-$'\x1f']* ]]; then
    for code in {1..31}; do
      printf -v escape '\\u%04x' "$code"
      printf -v byte '%b' "\\x${escape: -2}"
      text=${text//"$byte"/"$escape"}
    done
  fi
  printf '"%s"' "$text"
}

# truth COMMAND [ARGUMENT...]: prints in JSON's words whether it succeeds
truth() { if "$@"; then printf true; else printf false; fi; }

# The machine's architecture as releases name it.
architecture() {
  case $(uname -m) in
    x86_64) printf amd64 ;;
    aarch64) printf arm64 ;;
    armv7l | armv8l) printf arm ;;
    *) uname -m | tr -d '\n' ;;
  esac
}

# result JSON: the answer of this run; one line, once
result() {
  [[ $result_given == false ]] || fail "a second result: $1" "callers read one line" "call result once"
  result_given=true
  printf '%s\n' "${1//$'\n'/ }" >&3
}

# install_file PATH MODE [OWNER:GROUP] <content: makes the file so, by a rename, and only if it is not so already
# Sets file_changed, and changed to true if it wrote. Render into a variable first: a renderer that fails
# on the left of a pipe would leave half a file.
install_file() {
  local path=$1 mode=$2 owner=${3:-} folder temporary
  folder=$(dirname "$path")
  [[ -d $folder ]] || mkdir -p "$folder"
  # One name for each file: what a run that was cut off leaves is overwritten by the next.
  temporary="$folder/.${path##*/}.triad"
  rm -f "$temporary"
  (umask 077 && cat >"$temporary")
  chmod "$mode" "$temporary"
  [[ -z $owner ]] || chown "$owner" "$temporary"
  file_changed=false
  if [[ -f $path && ! -L $path ]] && cmp -s "$temporary" "$path" &&
    [[ $(stat -c '%a %u %g' "$temporary") == $(stat -c '%a %u %g' "$path") ]]; then
    rm -f "$temporary"
    return 0
  fi
  # The content reaches the disk before the name does: a power cut leaves the old file or the new one.
  sync "$temporary"
  mv -f "$temporary" "$path"
  sync "$folder"
  file_changed=true
  changed=true
}

# remove_file PATH...: sets changed to true if one was there
remove_file() {
  local path
  for path in "$@"; do
    [[ -e $path || -L $path ]] || continue
    rm -f "$path"
    changed=true
  done
}

# told COMMAND [ARGUMENT...]: passes on the lines about its steps and errors, and leaves out its advice to a
# person at a terminal. Its status is the command's.
told() {
  "$@" 2>&1 </dev/null | sed --unbuffered -n '/^[[:space:]]*\[\|^[Ee]rror/p' >&2
}

# wait_for SECONDS WHAT COMMAND [ARGUMENT...]: tries the command (itself bounded, run in a subshell) until it
# succeeds. Gives up with status 1, what the command printed last in last_seen, and a line that tells it.
wait_for() {
  local limit=$1 what=$2 deadline
  shift 2
  deadline=$((SECONDS + limit))
  until last_seen=$("$@" 2>&1); do
    if ((SECONDS > deadline)); then
      last_seen=${last_seen:-nothing was printed}
      warn "$what: not within $limit s; seen last: $last_seen"
      return 1
    fi
    sleep 0.2
  done
}

# hold_lock NAME SECONDS: one run at a time; the lock ends with the script
hold_lock() {
  mkdir -p "$ROOT/run/lock"
  exec 9>"$ROOT/run/lock/triad-$1.lock"
  flock -w "$2" 9 ||
    fail "another run has held the lock $ROOT/run/lock/triad-$1.lock for $2 s" \
      "two runs at once would overwrite each other's files" "wait for the other run to end, then run it again"
}

# ensure_packages PACKAGE...: installs what is missing from the machine's own package sources. What comes with it is noted
# in $FOUND/packages with the scripts that need it (PACKAGE_OWNER, or machine): it goes with the last of them.
ensure_packages() {
  local package missing=() held=()
  mkdir -p "$ROOT/run/lock"
  exec 8>"$ROOT/run/lock/triad-packages.lock"
  flock -w 900 8 ||
    fail "another run has installed packages for 900 s" "two at once would fail" "wait for it, then run it again"
  note_new_packages
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == 'install ok installed' ]] ||
      missing+=("$package")
  done
  if ((${#missing[@]})); then
    info "installing ${missing[*]}"
    mkdir -p "$FOUND"
    installed_packages >"$FOUND/.packages"
    mv -f "$FOUND/.packages" "$FOUND/packages.before"
    held=(-y --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold)
    timeout 300 apt-get "${held[@]}" install "${missing[@]}" 8>&- ||
      { timeout 120 apt-get update 8>&- && timeout 600 apt-get "${held[@]}" install "${missing[@]}" 8>&-; } ||
      fail "apt-get could not install ${missing[*]}" "they are needed on this machine" \
        "look at the lines above; check the package sources and that the machine reaches them"
    note_new_packages
    changed=true
  fi
  for package in "$@"; do
    [[ ! -f $FOUND/packages/$package ]] || need_package "$package"
  done
  exec 8>&-
}

installed_packages() { dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' | sed -n 's/^ii *//p' | sort; }

# Also those of a run that was cut off before it could.
note_new_packages() {
  local package
  [[ -s $FOUND/packages.before ]] || return 0
  mkdir -p "$FOUND/packages"
  while read -r package; do need_package "$package"; done < <(comm -13 "$FOUND/packages.before" <(installed_packages))
  sync -f "$FOUND/packages"
  rm -f "$FOUND/packages.before"
}

need_package() {
  local note="$FOUND/packages/$1" owner=${PACKAGE_OWNER:-machine}
  grep -qsx "$owner" "$note" || printf '%s\n' "$owner" >>"$note"
}

# A command that nobody expected to fail: told by its text, which holds no values.
unexpected() {
  local status=$1 command=$2 function=$3
  ((status != 97)) || stop
  printf 'error: stopped in %s: "%s" ended with status %s\n' "$function" "${command%%$'\n'*}" "$status" >&2
  stop
}

# main VERB [ARGUMENT...]
main() {
  local verb=${1:-} known="ensure remove check ${EXTRA_VERBS:-}"
  exec 3>&1 1>&2
  set -o errtrace
  trap 'unexpected "$?" "$BASH_COMMAND" "${FUNCNAME[0]:-main}"' ERR
  if [[ -z $verb || " $known " != *" $verb "* ]] || ! declare -F "$verb" >/dev/null; then
    fail "the verb is '$verb'" "the script knows: $known" "run it as bash -s -- VERB"
  fi
  shift
  "$verb" "$@"
  [[ $result_given == true ]] || result "{\"changed\":$changed}"
}
