# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in machine.sh
#
# A part of machine.sh and k3s-machine.sh: swap, modules and kernel settings, and how they were found.
#   $FOUND/swaps    as in /proc/swaps
#   $FOUND/kernel   a setting a line: its file, the value that was found, the one that was set
#   $FOUND/modules  a module a line that was not there

ensure_swap_off() {
  local fstab="$ROOT/etc/fstab" kept
  if [[ -f $fstab ]] && grep -qE '^[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]]|$)' "$fstab"; then
    info "taking swap out of /etc/fstab"
    kept=$(sed -E 's/^[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]].*)?$/# Triad, as kubelet wants no swap: &/' "$fstab")
    install_file "$fstab" "$(stat -c %a "$fstab")" <<<"$kept"
  fi
  if swap_is_on; then
    [[ $MEMORY == false || -e $FOUND/swaps ]] || tail -n +2 "$ROOT/proc/swaps" >"$FOUND/swaps"
    info "swapping off"
    swapoff -a || true
    changed=true
  fi
  ! swap_is_on ||
    fail "swap is on: $(awk 'NR > 1 { printf "%s ", $1 }' "$ROOT/proc/swaps")" \
      "kubelet refuses to start beside swap" "turn it off on this machine, for good (swapoff, its unit or zram)"
}

swap_is_on() { [[ -r $ROOT/proc/swaps && $(wc -l <"$ROOT/proc/swaps") -gt 1 ]]; }

# Judged by effect: in a container modprobe fails although the modules are there.
ensure_modules() {
  keep_found "$ROOT/etc/modules-load.d/triad.conf"
  install_file "$ROOT/etc/modules-load.d/triad.conf" 0644 <<<$'overlay\nbr_netfilter'
  grep -qw overlay "$ROOT/proc/filesystems" || load_module overlay
  grep -qw overlay "$ROOT/proc/filesystems" ||
    fail "the kernel has no overlay file system" "containers' images are laid over each other with it" \
      "install a kernel with overlayfs, or load the module"
  [[ -d $ROOT/proc/sys/net/bridge ]] || load_module br_netfilter
  [[ -d $ROOT/proc/sys/net/bridge ]] ||
    fail "the kernel has no br_netfilter" "Services would not be reached from pods on the same machine" \
      "load the module br_netfilter, or install a kernel that has it"
}

load_module() {
  [[ $MEMORY == false ]] || grep -qsx "$1" "$FOUND/modules" || printf '%s\n' "$1" >>"$FOUND/modules"
  modprobe "$1" 2>/dev/null || true
}

ensure_kernel_settings() {
  local key value lines=''
  local must="net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1"
  # Kernel-wide, so not to be had in a container; containers that watch many files run out at the defaults.
  local should="net.bridge.bridge-nf-call-ip6tables=1 fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288"
  for key in $must $should; do lines+="${key/=/ = }"$'\n'; done
  keep_found "$ROOT/etc/sysctl.d/90-triad.conf"
  install_file "$ROOT/etc/sysctl.d/90-triad.conf" 0644 <<<"${lines%$'\n'}"
  for key in $must $should; do
    value=${key#*=} key=${key%%=*}
    set_kernel_value "$ROOT/proc/sys/${key//.//}" "$value" && continue
    [[ " $must" != *" $key="* ]] ||
      fail "$key is not $value and cannot be set" "pods would not reach each other or their Services" \
        "set it on the computer that runs this machine"
    warn "$key is not $value and cannot be set here"
  done
}

# set_kernel_value FILE VALUE: a number; more than asked for is right too
set_kernel_value() {
  local file=$1 value=$2 now=0
  [[ -r $file ]] || return 1
  read -r now <"$file"
  ((now < value)) || return 0
  [[ $MEMORY == false ]] || grep -qs "^${file#"$ROOT"} " "$FOUND/kernel" ||
    printf '%s %s %s\n' "${file#"$ROOT"}" "$now" "$value" >>"$FOUND/kernel"
  { printf '%s\n' "$value" >"$file"; } 2>/dev/null || return 1
  changed=true
  read -r now <"$file"
  ((now >= value))
}

restore_kernel() {
  local file found set now module
  restore_found "$ROOT/etc/modules-load.d/triad.conf" "$ROOT/etc/sysctl.d/90-triad.conf"
  while read -r file found set; do
    # Somebody may have changed it since.
    ! { read -r now <"$ROOT$file" && ((now == set)); } 2>/dev/null ||
      { printf '%s\n' "$found" >"$ROOT$file"; } 2>/dev/null || warn "$file cannot be set back to $found before a reboot"
  done < <(cat "$FOUND/kernel" 2>/dev/null || true)
  while read -r module; do
    # One that is in use goes with the next boot.
    modprobe --remove "$module" 2>/dev/null || true
  done < <(cat "$FOUND/modules" 2>/dev/null || true)
  rm -f "$FOUND/kernel" "$FOUND/modules"
}

restore_swap() {
  local fstab="$ROOT/etc/fstab" text device kind priority _
  if grep -qs '^# Triad, as kubelet wants no swap: ' "$fstab"; then
    text=$(sed 's/^# Triad, as kubelet wants no swap: //' "$fstab")
    install_file "$fstab" "$(stat -c %a "$fstab")" <<<"$text"
  fi
  while read -r device kind _ _ priority; do
    grep -qs "^$device " "$ROOT/proc/swaps" || swapon --priority "$priority" "$device" ||
      warn "swap on $device ($kind) does not come back before a reboot"
  done < <(cat "$FOUND/swaps" 2>/dev/null || true)
  rm -f "$FOUND/swaps"
}
