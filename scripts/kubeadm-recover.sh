# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # the header and lib.sh set what is read here
#
# Makes of this server an etcd of one member when the majority is lost: from its own data, or from a snapshot. Until
# etcd is proven whole no manifest of the API server lies where kubelet looks, whatever ends this run; a later run goes
# on from where this one was cut short.
#   check   {"phase","members","data","source","recoveredAt","bumped","kept"}; members is 0 without a quorum; see recovery/state.sh for the phases
#   fence   on another server: its API and etcd end and do not start again, not at a boot either
#   rouse   on a worker: kubelet starts anew, unless it did since STARTED_AFTER
#   reach   {"answering"}: which of PEERS this machine reaches
#   finish  notes that nothing is left to do
# Variables: SNAPSHOT (path on this machine of a snapshot, or of one of Triad's backups; empty for the server's own data),
#   NODE_ADDRESS, STARTED_AFTER (rouse; seconds since 1970), PEERS (reach).
#
# @see https://etcd.io/docs/v3.6/op-guide/recovery/
#
# part: recovery/state.sh
# part: kubeadm-recover/manifests.sh
# part: kubeadm/etcd.sh
# part: kubeadm/static-pods.sh
# part: kubeadm-recover/etcd.sh

EXTRA_VERBS="fence rouse finish reach"
readonly AGAIN="run make recover again"
readonly ETC="$ROOT/etc/kubernetes"

ensure() {
  require NODE_ADDRESS
  local source
  umask 077
  refuse_missing_snapshot
  source=$(wanted_source)
  [[ $(read_phase) != none ]] || refuse_what_cannot_work
  go_on_with "$source"
  [[ $(read_phase) != closing ]] || close_server
  if [[ $(read_phase) == copied ]]; then
    if [[ -n ${SNAPSHOT:-} ]]; then restore_snapshot; else reset_own_data; fi
    proven
    changed=true
  fi
  serve
  report
}

check() { report; }

has_data() { holds_member "$DATA"; }

refuse_what_cannot_work() {
  local folder
  [[ -f $MANIFESTS/etcd.yaml && -f $MANIFESTS/kube-apiserver.yaml ]] ||
    fail "$MANIFESTS lacks etcd.yaml or kube-apiserver.yaml" "only a server that kubeadm made can be recovered" \
      "name a machine that was a server; where they were moved aside, put them back"
  folder=$(sed -n 's/^ *- --data-dir=//p' "$MANIFESTS/etcd.yaml")
  [[ $ROOT$folder == "$DATA" ]] ||
    fail "etcd's data are in ${folder:-an unknown folder}" "only /var/lib/etcd is handled" \
      "recover by hand as docs/restore.md says"
  if [[ -z ${SNAPSHOT:-} ]] && ! has_data; then
    fail "there is no whole etcd in $DATA" "this server has no data of its own to go on with, and would begin an empty cluster" \
      "name another server, or a snapshot: SNAPSHOT=<path>"
  fi
  refuse_too_little_space "$DATA"
}

close_server() {
  info "stopping this server's control plane; pods of the workload go on"
  take_manifests
  stop_control_plane
  info "keeping a copy of what it holds in $(kept)"
  copy_whole "$(kept)/kubernetes" "$ETC"/* "$KEPT_MANIFESTS"
  copy_whole "$(kept)/etcd" "$DATA/member"
  write_phase copied
  changed=true
}

serve() {
  local name
  for name in $CONTROL_PLANE; do
    [[ -f $MANIFESTS/$name.yaml || ! -f $KEPT_MANIFESTS/$name.yaml ]] ||
      put_manifest "$name" <"$KEPT_MANIFESTS/$name.yaml"
  done
  systemctl start kubelet
  wait_for 300 "the API to be ready" api_ready ||
    fail "the API is not ready: $last_seen" "the cluster is not served yet" \
      "see journalctl -u kubelet and /var/log/pods on this machine, then $AGAIN: it goes on from here"
}

api_ready() {
  kubectl --kubeconfig "$ETC/admin.conf" --server "https://$NODE_ADDRESS:6443" --request-timeout 3s \
    get --raw /readyz </dev/null
}

fence() {
  local name
  [[ -f $ETC/kubelet.conf ]] || return 0
  info "the control plane is kept from starting on this machine: the cluster goes on without it"
  for name in $CONTROL_PLANE; do set_aside "$name"; done
  # A kubelet that has not reached an API server since its start ends none; it does not start them again either.
  wait_for 60 "kubelet to end the control plane" all_ended || true
  for name in $CONTROL_PLANE; do
    ended "$name" >/dev/null || end_process "$name"
  done
}

all_ended() {
  local name
  for name in $CONTROL_PLANE; do ended "$name" || return 1; done
}

# A Node that the recovered data do not know is registered at kubelet's start only, and its watches begin anew.
rouse() {
  require STARTED_AFTER
  local started
  started=$(date -d "$(systemctl show kubelet --property ExecMainStartTimestamp --value)" +%s) || started=0
  ((started < STARTED_AFTER)) || return 0
  info "restarting kubelet, which has watched the API since before the recovery"
  systemctl restart kubelet
  wait_for 90 "kubelet to be healthy" curl --silent --show-error --fail --max-time 2 http://127.0.0.1:10248/healthz ||
    fail "kubelet is not healthy: $last_seen" "this Node hears nothing of the cluster" "see journalctl -u kubelet on this machine, then $AGAIN"
  changed=true
}
