# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Points this machine's kubelet to the endpoint.
# Variables: ENDPOINT (name:port).

readonly KUBECONFIG_FILE=/etc/kubernetes/kubelet.conf
EXTRA_VERBS=restore
readonly KEPT=/var/lib/triad/kubelet.conf.before-endpoint

ensure() {
  if [[ ! -f $KUBECONFIG_FILE ]]; then
    fail "$KUBECONFIG_FILE is missing" "this machine is no Node of any kubeadm cluster" \
      "join it with kubeadm as a worker, or take it off workers"
  fi
  if [[ $(pointed_to) == "https://$ENDPOINT" ]]; then
    result '{"changed":false}'
    return
  fi
  info "pointing kubelet from $(pointed_to) to https://$ENDPOINT"
  install -d -m 0700 "$(dirname "$KEPT")"
  cp -p "$KUBECONFIG_FILE" "$KEPT"
  point_to "https://$ENDPOINT"
  systemctl restart kubelet
  if ! wait_for 60 "kubelet to be healthy" curl --silent --fail --max-time 2 http://127.0.0.1:10248/healthz; then
    put_back
    fail "kubelet did not become healthy within 60 s after its restart" "the worker would be lost to the cluster" \
      "the old kubelet.conf is back and kubelet restarted; read journalctl -u kubelet, then run pulumi up again"
  fi
  result '{"changed":true}'
}

# The way back when the Node does not become Ready through the endpoint.
restore() {
  put_back
  result '{"changed":true}'
}

put_back() {
  cp -p "$KEPT" "$KUBECONFIG_FILE"
  systemctl restart kubelet
}

check() {
  result "{\"server\":\"$(pointed_to)\"}"
}

pointed_to() {
  sed -n 's/^ *server: *//p' "$KUBECONFIG_FILE"
}

point_to() {
  local copy=$KUBECONFIG_FILE.triad
  cp -p "$KUBECONFIG_FILE" "$copy"
  sed -i "s|^\( *server:\) .*|\1 $1|" "$copy"
  mv -f "$copy" "$KUBECONFIG_FILE"
}
