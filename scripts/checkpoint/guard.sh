# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh and the header, or read in the scripts that name this part
#
# A part of checkpoint.sh and observe.sh: where a checkpoint's guard lies, and for which boot it lets a server start.

readonly BOOT_ID=/proc/sys/kernel/random/boot_id

# guard_of UNIT: the file
guard_of() { printf '%s/etc/systemd/system/%s.service.d/91-triad-checkpoint.conf' "$ROOT" "$1"; }

# is_of_this_boot GUARD: whether it was written since the machine booted, so that it keeps nobody out yet
is_of_this_boot() { [[ -f $1 ]] && grep -qF " $(<"$ROOT$BOOT_ID") " "$1"; }

# checkpoint_of GUARD: the name of the checkpoint that it was written for
checkpoint_of() { sed -n 's/^# Written by Triad: checkpoint \(.*\)\.$/\1/p' "$1" 2>/dev/null || true; }
