# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in machine.sh
#
# A part of machine.sh: swap, modules and kernel settings.

ensure_swap_off() {
  local fstab="$ROOT/etc/fstab" kept
  if [[ -f $fstab ]] && grep -qE '^[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]]|$)' "$fstab"; then
    info "taking swap out of /etc/fstab"
    kept=$(sed -E 's/^[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]].*)?$/# Triad, as kubelet wants no swap: &/' "$fstab")
    install_file "$fstab" "$(stat -c %a "$fstab")" <<<"$kept"
  fi
  if swap_is_on; then
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
  install_file "$ROOT/etc/modules-load.d/triad.conf" 0644 <<<$'overlay\nbr_netfilter'
  grep -qw overlay "$ROOT/proc/filesystems" || modprobe overlay 2>/dev/null || true
  grep -qw overlay "$ROOT/proc/filesystems" ||
    fail "the kernel has no overlay file system" "containers' images are laid over each other with it" \
      "install a kernel with overlayfs, or load the module"
  [[ -d $ROOT/proc/sys/net/bridge ]] || modprobe br_netfilter 2>/dev/null || true
  [[ -d $ROOT/proc/sys/net/bridge ]] ||
    fail "the kernel has no br_netfilter" "Services would not be reached from pods on the same machine" \
      "load the module br_netfilter, or install a kernel that has it"
}

ensure_kernel_settings() {
  local key value lines=''
  local must="net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1"
  # Kernel-wide, so not to be had in a container; containers that watch many files run out at the defaults.
  local should="net.bridge.bridge-nf-call-ip6tables=1 fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288"
  for key in $must $should; do lines+="${key/=/ = }"$'\n'; done
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
  { printf '%s\n' "$value" >"$file"; } 2>/dev/null || return 1
  changed=true
  read -r now <"$file"
  ((now >= value))
}
