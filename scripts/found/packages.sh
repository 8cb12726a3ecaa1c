# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, read there or in the scripts that name this part
#
# A part of the scripts that prepare a machine: takes packages away that came with Triad.

# release_packages: those that ensure_packages brought, once no other script of Triad needs them. One on which a package
# of somebody else depends by now is his.
release_packages() {
  local note names=() owner=${PACKAGE_OWNER:-machine}
  exec 8>"$ROOT/run/lock/triad-packages.lock"
  flock -w 900 8 ||
    fail "another run has installed packages for 900 s" "two at once would fail" "wait for it, then run it again"
  note_new_packages
  for note in "$FOUND/packages"/*; do
    [[ -f $note ]] || continue
    if grep -qvx "$owner" "$note"; then sed -i "/^$owner\$/d" "$note"; else names+=("${note##*/}"); fi
  done
  if ((${#names[@]})); then purge "${names[@]}"; fi
  exec 8>&-
}

purge() {
  local answer depended names=("$@") name
  # Each answer names those that others need; without them the rest may be needed by them in turn.
  while answer=$(dpkg --no-act --purge "${names[@]}" 2>&1) || true
    depended=$(sed -n 's/^dpkg: dependency problems prevent removal of \([^ :]*\).*/\1/p' <<<"$answer") && [[ -n $depended ]]; do
    for name in $depended; do
      info "$name stays: other packages need it by now"
      mapfile -t names < <(printf '%s\n' "${names[@]}" | grep -vxE "${name//./\\.}(:.*)?" || true)
    done
    ((${#names[@]})) || break
  done
  if ((${#names[@]})); then
    info "removing ${names[*]}, which came with Triad"
    wait_for 120 "the package system" dpkg --purge "${names[@]}" 8>&- ||
      fail "dpkg did not remove ${names[*]}: $last_seen" "the machine would not be as it was found" \
        "see what dpkg says above, then run it again"
    changed=true
  fi
  for name in "$@"; do rm -f "$FOUND/packages/$name"; done
}
