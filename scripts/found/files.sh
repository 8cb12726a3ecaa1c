# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, read there or in the scripts that name this part
#
# A part of the scripts that prepare a machine and take that back: what was there before, kept in /var/lib/triad/found
# until then. It is kept before the first change, once. Paths of files may begin with $ROOT.
#   files/...     what was replaced, under its own path
#   absent        a path a line: files and folders that were not there
#   services/...  whether a unit was enabled and active
#   machine       stands from before the first change of a machine for Kubernetes

# False on a machine that a Triad without this memory has prepared: what it did cannot be told from what was there.
MEMORY=true

begin_memory() {
  if [[ -e $FOUND/machine ]]; then return 0; fi
  if [[ -e $ROOT/etc/modules-load.d/triad.conf ]]; then
    MEMORY=false
    return 0
  fi
  mkdir -p "$FOUND"
  date -u +%FT%TZ >"$FOUND/.machine"
  sync "$FOUND/.machine"
  mv -f "$FOUND/.machine" "$FOUND/machine"
}

# keep_found PATH...
keep_found() {
  local path kept folder
  [[ $MEMORY == true ]] || return 0
  for path in "$@"; do
    path=${path#"$ROOT"}
    kept="$FOUND/files$path"
    if [[ -e $kept || -L $kept ]] || was_absent "$path"; then continue; fi
    if [[ -e $ROOT$path || -L $ROOT$path ]] && ! grep -qs '^# Written by Triad' "$ROOT$path"; then
      mkdir -p "${kept%/*}"
      cp -a "$ROOT$path" "$kept.part"
      sync -f "$kept.part"
      mv -T "$kept.part" "$kept"
    else
      for folder in $(parents "$path"); do
        [[ -e $ROOT$folder ]] || was_absent "$folder" || note_absent "$folder"
      done
      note_absent "$path"
    fi
  done
}

was_absent() { grep -qsxF "$1" "$FOUND/absent"; }

parents() {
  local folder=${1%/*}
  [[ -z $folder ]] || { parents "$folder" && printf '%s ' "$folder"; }
}

# Whole lists are renamed into place: half a line would be no memory.
note_absent() {
  mkdir -p "$FOUND"
  { cat "$FOUND/absent" 2>/dev/null || true; printf '%s\n' "$1"; } >"$FOUND/.absent"
  sync "$FOUND/.absent"
  mv -f "$FOUND/.absent" "$FOUND/absent"
}

# keep_found_folders PATH...: whether they were there; what comes into them later is not looked at
keep_found_folders() {
  local path
  [[ $MEMORY == true ]] || return 0
  for path in "$@"; do
    [[ -e $ROOT$path ]] || was_absent "$path" || note_absent "$path"
  done
}

# restore_found PATH...: as it was; what Triad has no memory of stays
restore_found() {
  local path kept
  for path in "$@"; do
    path=${path#"$ROOT"}
    kept="$FOUND/files$path"
    if [[ -e $kept || -L $kept ]]; then
      cp -a "$kept" "$ROOT$path.triad"
      mv -f -T "$ROOT$path.triad" "$ROOT$path"
      rm -f "$kept"
      changed=true
    elif was_absent "$path"; then
      remove_file "$ROOT$path"
      forget_absent "$path"
    fi
  done
}

forget_absent() {
  grep -vxF "$1" "$FOUND/absent" >"$FOUND/.absent" || true
  mv -f "$FOUND/.absent" "$FOUND/absent"
}

# restore_folders: those that were not there go where nothing is left in them, the inner ones first
restore_folders() {
  local folder
  while read -r folder; do
    [[ -d $ROOT$folder ]] || { forget_absent "$folder"; continue; }
    ! rmdir "$ROOT$folder" 2>/dev/null || forget_absent "$folder"
  done < <(sort -r "$FOUND/absent" 2>/dev/null || true)
}

# end_memory FOLDER...: of a machine. Of folders in which something is left it is no more Triad's matter.
end_memory() {
  local folder
  restore_folders
  for folder in "$@"; do
    if was_absent "$folder"; then forget_absent "$folder"; fi
  done
  rm -f "$FOUND/machine"
  forget_found
}

# keep_service UNIT...: before packages are installed, as these start and enable what they bring
keep_service() {
  local unit enabled active
  [[ $MEMORY == true ]] || return 0
  for unit in "$@"; do
    [[ ! -e $FOUND/services/$unit ]] || continue
    mkdir -p "$FOUND/services"
    enabled=$(systemctl is-enabled "$unit" 2>/dev/null) || true
    active=$(systemctl is-active "$unit" 2>/dev/null) || true
    printf '%s %s\n' "${enabled:-absent}" "${active:-inactive}" >"$FOUND/services/.$unit"
    sync "$FOUND/services/.$unit"
    mv -f "$FOUND/services/.$unit" "$FOUND/services/$unit"
  done
}

# restore_service UNIT: enabled and running as it was, with its configuration of then; without a memory it is left alone
restore_service() {
  local note="$FOUND/services/$1" enabled active
  [[ -f $note ]] || return 0
  read -r enabled active <"$note"
  if [[ $enabled == enabled ]]; then
    systemctl is-enabled --quiet "$1" || systemctl enable "$1"
  elif systemctl is-enabled --quiet "$1"; then
    systemctl disable "$1"
    changed=true
  fi
  if [[ $active == active ]]; then
    systemctl restart "$1"
    changed=true
  elif systemctl is-active --quiet "$1"; then
    systemctl stop "$1"
    changed=true
  fi
  rm -f "$note"
}

# forget_found: the memory itself, as far as nothing is left in it
forget_found() {
  [[ -s $FOUND/absent ]] || rm -f "$FOUND/absent"
  [[ ! -d $FOUND ]] || find "$FOUND" -depth -type d -empty -delete
  rmdir "${FOUND%/*}" 2>/dev/null || true
}
