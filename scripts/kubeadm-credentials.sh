# shellcheck shell=bash
# shellcheck disable=SC2154 # the header and lib.sh set what is read here
#
# Mints on a living server what one join needs: an upload of the certificates under a fresh key, and a short-lived token.
# Both are worthless within hours, so they are made when used and never kept. The answer is secret.
# Variables: CLUSTER_CONFIGURATION (YAML), NODE_ADDRESS.

readonly WORK=/run/triad/credentials

ensure() {
  local key token ca_hash
  umask 077
  mkdir -p "$WORK"
  trap 'rm -rf "$WORK"' EXIT
  key=$(kubeadm certs certificate-key)
  # The key goes in by file: a flag would show it in the process list.
  cat >"$WORK/config.yaml" <<EOF
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
certificateKey: $key
localAPIEndpoint:
  advertiseAddress: $NODE_ADDRESS
---
$CLUSTER_CONFIGURATION
EOF
  info "uploading the control plane's certificates under a fresh key"
  kubeadm init phase upload-certs --upload-certs --config "$WORK/config.yaml" >/dev/null
  token=$(kubeadm token create --ttl 20m --kubeconfig /etc/kubernetes/admin.conf)
  ca_hash=$(openssl x509 -in /etc/kubernetes/pki/ca.crt -noout -pubkey |
    openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1)
  result "{\"certificateKey\":\"$key\",\"token\":\"$token\",\"caCertHash\":\"sha256:$ca_hash\"}"
}
