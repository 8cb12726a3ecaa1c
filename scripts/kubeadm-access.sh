# shellcheck shell=bash
# shellcheck disable=SC2154 # the header and lib.sh set what is read here
#
# Says whether this machine is a server whose API answers, and hands out its administrator's kubeconfig.
# The answer holds a private key: it belongs in memory only.

check() {
  local kubeconfig="$ROOT/etc/kubernetes/admin.conf"
  if [[ ! -f $kubeconfig ]]; then
    result '{"server":false,"ready":false}'
    return
  fi
  local ready=false
  if kubectl --kubeconfig "$kubeconfig" --server "$(local_api)" --request-timeout 3s \
    get --raw /readyz >/dev/null 2>&1; then
    ready=true
  fi
  result "{\"server\":true,\"ready\":$ready,\"kubeconfig\":\"$(base64 -w0 "$kubeconfig")\"}"
}

# The API server's own address: it is in its certificate, whatever the kubeconfig points to.
local_api() {
  local advertised
  advertised=$(sed -n 's/^ *- --advertise-address=//p' "$ROOT/etc/kubernetes/manifests/kube-apiserver.yaml")
  printf 'https://%s:6443' "$advertised"
}
