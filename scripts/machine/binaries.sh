# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # set in lib.sh, read there or in machine.sh
#
# A part of machine.sh: kubeadm, kubelet and kubectl, and the unit of kubelet.

# ensure_binary NAME: of VERSION; one that is there in this version, from a package or not, is kept
ensure_binary() {
  local name=$1 url folder wanted got
  [[ $(binary_version "$name") != "$VERSION" ]] || return 0
  url="${ARTIFACTS_URL%/}/release/$VERSION/bin/linux/$(architecture)/$name"
  info "fetching $url"
  mkdir -p "$BIN"
  folder=$(mktemp -d "$BIN/.triad.XXXXXXXX")
  fetch "$url" "$folder/$name" || {
    rm -rf "$folder"
    fail "could not fetch $url" "$name of $VERSION is needed on this machine" \
      "check that the address is right and that this machine reaches it"
  }
  wanted=$(wanted_checksum "$name" "$url" "$folder")
  got=$(sha256sum "$folder/$name")
  got=${got%% *}
  if [[ $got != "$wanted" ]]; then
    rm -rf "$folder"
    fail "$url has the SHA-256 $got, not $wanted" \
      "a file that is cut, stale or forged must not run as root" "fetch again; if it persists, the source is not to be trusted"
  fi
  chmod 0755 "$folder/$name"
  sync "$folder/$name"
  keep_found "$BIN/$name"
  mv -f "$folder/$name" "$BIN/$name"
  rm -rf "$folder"
  hash -r
  changed=true
  got=$(binary_version "$name")
  [[ $got == "$VERSION" ]] ||
    fail "$(command -v "$name" || printf '%s' "$name") says ${got:-nothing} and not $VERSION" \
      "kubeadm, kubelet and kubectl must be of one version" "remove another $name that comes first on PATH"
}

ensure_binaries() {
  local name
  # What a run that was cut has left; the lock says that nobody is at it now.
  rm -rf "$BIN"/.triad.*
  for name in kubeadm kubelet kubectl; do ensure_binary "$name"; done
}

# wanted_checksum NAME URL FOLDER
wanted_checksum() {
  local given="SHA256_${1^^}" sum
  sum=${!given:-}
  if [[ -z $sum ]]; then
    if fetch "$2.sha256" "$3/checksum"; then
      read -r sum _ <"$3/checksum" || true
    fi
  fi
  [[ ${sum,,} =~ ^[0-9a-f]{64}$ ]] || {
    rm -rf "$3"
    fail "$2.sha256 holds no SHA-256" "nothing runs here that is not verified" \
      "serve the checksum beside the file, or give it in SHA256_${1^^}"
  }
  printf '%s' "${sum,,}"
}

binary_version() {
  local text
  case $1 in
    kubeadm) text=$(kubeadm version -o short 2>/dev/null) ;;
    kubelet) text=$(kubelet --version 2>/dev/null) ;;
    kubectl) text=$(kubectl version --client 2>/dev/null) ;;
  esac || return 0
  [[ $text =~ v[0-9]+\.[0-9]+\.[0-9]+[^[:space:]]* ]] || return 0
  printf '%s' "${BASH_REMATCH[0]}"
}

# What the packages of kubeadm and kubelet define, for a kubelet that was not installed by them.
# https://github.com/kubernetes/release/tree/master/cmd/krel/templates/latest
ensure_kubelet_unit() {
  local kubelet service drop_in reload=false
  kubelet=$(command -v kubelet)
  if [[ $kubelet == "$BIN/kubelet" ]]; then
    service="[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
# Else it starts first after a power cut, ends, and waits ten seconds.
After=network-online.target containerd.service

[Service]
ExecStart=${kubelet#"$ROOT"}
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target"
    drop_in="[Service]
Environment=\"KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf\"
Environment=\"KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml\"
# kubeadm writes this one when the machine joins.
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=${kubelet#"$ROOT"} \$KUBELET_KUBECONFIG_ARGS \$KUBELET_CONFIG_ARGS \$KUBELET_KUBEADM_ARGS \$KUBELET_EXTRA_ARGS"
    keep_found "$UNIT" "$UNIT.d/10-kubeadm.conf"
    install_file "$UNIT" 0644 <<<"$service"
    [[ $file_changed == false ]] || reload=true
    install_file "$UNIT.d/10-kubeadm.conf" 0644 <<<"$drop_in"
    [[ $file_changed == false ]] || reload=true
    [[ $reload == false ]] || systemctl daemon-reload
  fi
  # Enabled, not started: kubeadm starts it, and until then it would only fail.
  systemctl is-enabled --quiet kubelet || { systemctl enable kubelet && changed=true; }
}
