# shellcheck shell=bash
# shellcheck disable=SC2154 # set in lib.sh
#
# A part of the scripts that ask a kubeadm server's etcd.

# etcd_call PATH DATA [URL]: the JSON gateway on etcd's client port, this machine's own unless told
etcd_call() {
  local pki="$ROOT/etc/kubernetes/pki/etcd"
  curl --silent --show-error --fail-with-body --max-time 3 \
    --cacert "$pki/ca.crt" --cert "$pki/healthcheck-client.crt" --key "$pki/healthcheck-client.key" \
    --data "$2" "${3-https://127.0.0.1:2379}$1" </dev/null
}
