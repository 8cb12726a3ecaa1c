# shellcheck shell=bash
# shellcheck disable=SC2154 # the header and lib.sh set what is read here
#
# Gives the API server of this machine a certificate that also names the endpoint, and its cluster a stable endpoint.
# Nothing restarts: kube-apiserver reloads a certificate that was renamed over, and only files and a ConfigMap change.
# Variables: ENDPOINT (name:port), CERTIFICATE_NAMES (blank-separated), NODE_NAME, NODE_ADDRESS,
#   CLUSTER_CONFIGURATION (YAML, already with endpoint and names), UPLOAD (yes where the cluster has another one).

# check says whether there is nothing to do on this machine.

readonly PKI=/etc/kubernetes/pki
readonly WORK=/run/triad/retrofit

ensure() {
  local changed=false
  umask 077
  rm -rf "$WORK"
  mkdir -p "$WORK/pki"
  trap 'rm -rf "$WORK"' EXIT
  if ! certificate_names_all "$PKI/apiserver.crt"; then
    renew_certificate
    changed=true
  fi
  if [[ $UPLOAD == yes ]]; then
    info "writing endpoint and flags into kubeadm's own configuration"
    write_configuration "$PKI" "$WORK/upload.yaml"
    told kubeadm init phase upload-config kubeadm --config "$WORK/upload.yaml"
    changed=true
  fi
  local kubeconfig
  for kubeconfig in /etc/kubernetes/admin.conf /etc/kubernetes/super-admin.conf; do
    if [[ -f $kubeconfig ]] && point_kubeconfig "$kubeconfig"; then changed=true; fi
  done
  result "{\"changed\":$changed}"
}

check() {
  local current=true
  certificate_names_all "$PKI/apiserver.crt" || current=false
  grep -q "^ *server: https://$ENDPOINT\$" /etc/kubernetes/admin.conf || current=false
  result "{\"current\":$current}"
}

certificate_names_all() {
  local name text
  text=$(openssl x509 -in "$1" -noout -ext subjectAltName)
  for name in $CERTIFICATE_NAMES; do
    grep -qE "(DNS|IP Address):${name//./\\.}(,|$)" <<<"$text" || return 1
  done
}

# The new pair is made aside and each file renamed over the old one; moving the old ones away first would delay the
# reload by up to a minute.
renew_certificate() {
  local kept
  kept=/var/lib/triad/retrofit/$(date +%Y%m%dT%H%M%S)
  install -d -m 0700 "$kept"
  cp -p "$PKI/apiserver.crt" "$PKI/apiserver.key" "$kept/"
  info "making a certificate for: $CERTIFICATE_NAMES (the old one is kept in $kept)"
  cp -p "$PKI/ca.crt" "$PKI/ca.key" "$WORK/pki/"
  write_configuration "$WORK/pki" "$WORK/certificate.yaml"
  told kubeadm init phase certs apiserver --config "$WORK/certificate.yaml"
  install_pair "$WORK/pki"
  if ! wait_for 70 "the API server to show its new certificate" serves_new_certificate; then
    install_pair "$kept"
    fail "the API server did not take its new certificate and answer with it" \
      "clients of the endpoint would not trust it" \
      "the old certificate is back in place; read the log of kube-apiserver, then run pulumi up again"
  fi
}

install_pair() {
  local file
  for file in apiserver.key apiserver.crt; do
    cp -p "$1/$file" "$PKI/.$file.triad"
    mv -f "$PKI/.$file.triad" "$PKI/$file"
  done
}

serves_new_certificate() {
  local served
  served=$(openssl s_client -connect "$NODE_ADDRESS:6443" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256)
  [[ -n $served && $served == "$(openssl x509 -in "$PKI/apiserver.crt" -noout -fingerprint -sha256)" ]] &&
    local_kubectl get --raw /readyz >/dev/null
}

write_configuration() {
  cat >"$2" <<EOF
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
nodeRegistration:
  name: $NODE_NAME
localAPIEndpoint:
  advertiseAddress: $NODE_ADDRESS
---
${CLUSTER_CONFIGURATION/certificatesDir: $PKI/certificatesDir: $1}
EOF
}

# Only the address changes; the client certificate in the file stays.
point_kubeconfig() {
  local copy=$1.triad
  grep -q "^ *server: https://$ENDPOINT\$" "$1" && return 1
  cp -p "$1" "$copy"
  sed -i "s|^\( *server:\) .*|\1 https://$ENDPOINT|" "$copy"
  mv -f "$copy" "$1"
  info "$1 points to https://$ENDPOINT"
}

local_kubectl() {
  kubectl --kubeconfig /etc/kubernetes/admin.conf --server "https://$NODE_ADDRESS:6443" --request-timeout 3s "$@" </dev/null
}
