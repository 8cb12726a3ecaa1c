# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, read there or in the scripts that name this part
#
# A part of the scripts that clean a machine: takes trees away, and never what is mounted in them. A volume whose server
# does not answer stays mounted, and deleting on would walk into it. Paths are given without $ROOT.

# mounts_below PATH: what is mounted on it or below, the last first
mounts_below() {
  local mount
  tac "$ROOT/proc/self/mounts" | while read -r _ mount _; do
    # The kernel writes blanks as \040.
    printf -v mount '%b' "$mount"
    [[ $mount/ != "${1%/}"/* ]] || printf '%s\n' "$mount"
  done
}

# unmount_below PATH: fails where something stays. One that is busy or does not answer is detached: it goes when its last
# user ends, and is no part of the tree any more.
unmount_below() {
  local mount
  while read -r mount; do
    timeout --kill-after=2 20 umount "$mount" 2>/dev/null ||
      timeout --kill-after=2 20 umount --lazy "$mount" 2>/dev/null ||
      warn "could not unmount $mount: it and what lies in it stay"
  done < <(below_only "$1")
  [[ -z $(below_only "$1") ]]
}

# Its own path may be a disk of its own, which stays mounted.
below_only() { mounts_below "$1" | grep -vxF "$1" || true; }

# canonical PATH: where it is really, should it be a link to another disk
canonical() {
  local path
  path=$(realpath -m "$ROOT$1")
  printf '%s' "${path#"$ROOT"}"
}

# empty_tree PATH: all in it but what is mounted, and the way to that
empty_tree() {
  local path entry
  path=$(canonical "$1")
  [[ -d $ROOT$path ]] || return 0
  while IFS= read -r -d '' entry; do
    remove_branch "$path/$entry"
  done < <(find "$ROOT$path" -mindepth 1 -maxdepth 1 -printf '%f\0')
}

remove_branch() {
  local mounts entry
  mounts=$(mounts_below "$1")
  if [[ -z $mounts ]]; then
    rm -rf --one-file-system "$ROOT$1"
    changed=true
  elif ! grep -qxF "$1" <<<"$mounts"; then
    while IFS= read -r -d '' entry; do
      remove_branch "$1/$entry"
    done < <(find "$ROOT$1" -mindepth 1 -maxdepth 1 -printf '%f\0')
  fi
}

# remove_tree PATH...: like empty_tree, with the folder itself where that is then empty
remove_tree() {
  local path
  for path in "$@"; do
    empty_tree "$path"
    [[ ! -d $ROOT$path || -L $ROOT$path ]] || rmdir "$ROOT$path" 2>/dev/null || true
  done
}
