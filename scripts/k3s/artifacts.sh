# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in k3s-machine.sh
#
# A part of k3s-machine.sh: k3s itself and its images, by the checksums of its release.

readonly BIN="$ROOT/usr/local/bin"

# Releases name the program by machine, its images by architecture.
program_name() {
  case $(architecture) in
    arm64) printf k3s-arm64 ;;
    arm) printf k3s-armhf ;;
    *) printf k3s ;;
  esac
}

ensure_k3s() {
  local folder got
  rm -rf "$BIN"/.triad.*
  [[ $(k3s_version) != "$VERSION" ]] || return 0
  mkdir -p "$BIN"
  folder=$(mktemp -d "$BIN/.triad.XXXXXXXX")
  fetch_verified "$(program_name)" "$folder" ||
    fail "could not fetch $(url_of "$(program_name)")" "k3s $VERSION is needed on this machine" \
      "check artifacts.k3s in the config, and that this machine reaches it"
  chmod 0755 "$folder/$(program_name)"
  sync "$folder/$(program_name)"
  keep_found "$BIN/k3s"
  mv -f "$folder/$(program_name)" "$BIN/k3s"
  rm -rf "$folder"
  hash -r
  changed=true
  got=$(k3s_version)
  [[ $got == "$VERSION" ]] ||
    fail "$(command -v k3s || printf '%s' "$BIN/k3s") says ${got:-nothing} and not $VERSION" \
      "all servers must run one version" "remove another k3s that comes first on PATH"
}

url_of() { printf '%s/%s/%s' "${ARTIFACTS_URL%/}" "${VERSION//+/%2B}" "$1"; }

# fetch_verified NAME FOLDER: fails where it cannot be had, ends the script where it is not what the release says
fetch_verified() {
  local name=$1 folder=$2 sums wanted got
  sums="sha256sum-$(architecture).txt"
  [[ -f $folder/$sums ]] || fetch "$(url_of "$sums")" "$folder/$sums" || return 1
  wanted=$(awk -v name="$name" '{ sub(/^\*/, "", $2); if ($2 == name) print tolower($1) }' "$folder/$sums")
  if [[ ! $wanted =~ ^[0-9a-f]{64}$ ]]; then
    rm -rf "$folder"
    fail "$(url_of "$sums") holds no SHA-256 of $name" "nothing runs here that is not verified" \
      "serve the release's own checksum file beside it"
  fi
  info "fetching $(url_of "$name")"
  fetch "$(url_of "$name")" "$folder/$name" || return 1
  got=$(sha256sum <"$folder/$name")
  if [[ ${got%% *} != "$wanted" ]]; then
    rm -rf "$folder"
    fail "$(url_of "$name") has the SHA-256 ${got%% *}, not $wanted" \
      "a file that is cut, stale or forged must not run as root" \
      "fetch again; if it persists, the source is not to be trusted"
  fi
}

# As k3s's installer does, where no other program has the name.
ensure_links() {
  local name
  for name in kubectl crictl ctr; do
    [[ -z $(command -v "$name") && ! -L $BIN/$name ]] || continue
    keep_found "$BIN/$name"
    ln -s k3s "$BIN/$name"
    changed=true
  done
}

# remove_k3s: the program, its links, its images, and what it unpacked of itself
remove_k3s() {
  local name
  restore_found "$BIN"/{k3s,kubectl,crictl,ctr}
  remove_file "$K3S_DATA/agent/images/k3s-airgap-images-$(architecture).tar.gz" "$TRIAD_DATA/images-version"
  was_absent /var/lib/rancher/k3s || return 0
  # All but volumes: those are somebody's data.
  while IFS= read -r -d '' name; do
    [[ $name == storage ]] || remove_branch "/var/lib/rancher/k3s/$name"
  done < <(find "$K3S_DATA" -mindepth 1 -maxdepth 1 -printf '%f\0' 2>/dev/null || true)
  rmdir "$K3S_DATA/storage" 2>/dev/null || true
}

# k3s imports what lies there when it starts, so that a join does not wait for a registry.
ensure_images() {
  local images="$K3S_DATA/agent/images" note="$TRIAD_DATA/images-version" name folder
  name="k3s-airgap-images-$(architecture).tar.gz"
  [[ ! -f $images/$name || $(cat "$note" 2>/dev/null) != "$VERSION" ]] || return 0
  mkdir -p "$images"
  rm -rf "$images"/.triad.*
  folder=$(mktemp -d "$images/.triad.XXXXXXXX")
  if fetch_verified "$name" "$folder"; then
    mv -f "$folder/$name" "$images/$name"
    install_file "$note" 0644 <<<"$VERSION"
    changed=true
  else
    warn "could not fetch $(url_of "$name"): k3s will pull its images itself"
  fi
  rm -rf "$folder"
}
