# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the header and lib.sh set what is read here
#
# Holds the flags with which this server's kube-apiserver and etcd run against those of kubeadm's configuration.
#   check   names the flags that differ, and changes nothing
#   ensure  writes the manifests anew where they differ, etcd's first; kubelet restarts what changed. What does not
#           become ready is put back.
# Variables: CLUSTER_CONFIGURATION (YAML), NODE_NAME, NODE_ADDRESS, AUDIT_POLICY (text, empty for none).

readonly MANIFESTS=/etc/kubernetes/manifests
readonly POLICY=/etc/kubernetes/triad/audit-policy.yaml
readonly WORK=/run/triad/flags

check() {
  render_manifests
  result "{\"extra\":$(differences 23),\"missing\":$(differences 13),\"auditPolicy\":$(policy_current)}"
}

ensure() {
  render_manifests
  if [[ $(flags_of "$WORK/etcd.yaml") != $(flags_of "$MANIFESTS/etcd.yaml") ]]; then
    keep_initial_cluster
    replace_manifest etcd etcd_ready
  fi
  if [[ $(policy_current) == false ]]; then
    install_file "$POLICY" 0600 <<<"$AUDIT_POLICY"
    # kubelet restarts a static pod only if its manifest changes, and kube-apiserver reads the policy only at its start.
    local mark
    mark=$(sha256sum "$POLICY" | cut -c1-16)
    sed -i "s|^  annotations:|&\n    triad.dev/audit-policy: \"$mark\"|" "$WORK/kube-apiserver.yaml"
    replace_manifest kube-apiserver api_ready
  elif [[ $(flags_of "$WORK/kube-apiserver.yaml") != $(flags_of "$MANIFESTS/kube-apiserver.yaml") ]]; then
    replace_manifest kube-apiserver api_ready
  fi
}

# What kubeadm itself would write for this server.
render_manifests() {
  umask 077
  rm -rf "$WORK"
  mkdir -p "$WORK"
  trap 'rm -rf "$WORK"' EXIT
  cat >"$WORK/config.yaml" <<EOF
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
nodeRegistration:
  name: $NODE_NAME
localAPIEndpoint:
  advertiseAddress: $NODE_ADDRESS
---
$CLUSTER_CONFIGURATION
EOF
  export KUBEADM_INIT_DRYRUN_DIR=$WORK
  kubeadm init phase control-plane apiserver --config "$WORK/config.yaml" --dry-run >/dev/null 2>&1
  kubeadm init phase etcd local --config "$WORK/config.yaml" --dry-run >/dev/null 2>&1
}

# How a member first found its cluster differs from server to server, and no longer matters.
flags_of() {
  sed -n 's/^ *- \(--.*\)$/\1/p' "$1" | grep -v '^--initial-cluster' | sort
}

# differences 13|23: a JSON list; 13 is what only kubeadm's configuration has, 23 what only runs
differences() {
  local component flag separator='' list=''
  for component in kube-apiserver etcd; do
    while read -r flag; do
      list+="$separator$(json_string "$component $flag")"
      separator=,
    done < <(compare "$1" <(flags_of "$MANIFESTS/$component.yaml") <(flags_of "$WORK/$component.yaml"))
  done
  printf '[%s]' "$list"
}

compare() {
  if [[ $1 == 23 ]]; then comm -23 "$2" "$3"; else comm -13 "$2" "$3"; fi
}

policy_current() {
  if [[ -z ${AUDIT_POLICY:-} || $(cat "$POLICY" 2>/dev/null) == "$AUDIT_POLICY" ]]; then printf true; else printf false; fi
}

keep_initial_cluster() {
  local line
  sed -i '/^ *- --initial-cluster/d' "$WORK/etcd.yaml"
  while read -r line; do
    sed -i "s|^    - --initial-advertise-peer-urls=.*|&\n    $line|" "$WORK/etcd.yaml"
  done < <(sed -n 's/^ *\(- --initial-cluster.*\)$/\1/p' "$MANIFESTS/etcd.yaml" | sort -r)
}

# replace_manifest NAME READY: kubelet watches the directory, so the file is renamed into it
replace_manifest() {
  local name=$1 ready=$2 kept before
  kept=/var/lib/triad/manifests/$(date +%Y%m%dT%H%M%S)
  install -d -m 0700 "$kept"
  cp -p "$MANIFESTS/$name.yaml" "$kept/"
  before=$(pgrep -x "$name" | sort | tr '\n' ' ')
  info "$name restarts with other flags (its old manifest is kept in $kept)"
  put_manifest "$WORK/$name.yaml"
  changed=true
  wait_for 180 "$name to restart and be ready" restarted "$name" "$before" "$ready" && return
  put_manifest "$kept/$name.yaml"
  wait_for 180 "$name to be ready with its old flags" "$ready" || true
  fail "$name did not become ready with its new flags; seen last: $last_seen" "this server would be lost to the cluster" \
    "its old manifest is back; see its log under /var/log/pods, mend triad:apiServer or triad:etcd, and run pulumi up again"
}

put_manifest() {
  local name
  name=$(basename "$1")
  install -m 0600 "$1" "/etc/kubernetes/.$name.triad"
  mv -f "/etc/kubernetes/.$name.triad" "$MANIFESTS/$name"
}

restarted() {
  [[ $(pgrep -x "$1" | sort | tr '\n' ' ') != "$2" ]] || { echo "the old process still runs"; return 1; }
  "$3"
}

etcd_ready() {
  curl --silent --show-error --fail --max-time 3 http://127.0.0.1:2381/health
}

api_ready() {
  curl --silent --show-error --fail --max-time 3 --cacert /etc/kubernetes/pki/ca.crt "https://$NODE_ADDRESS:6443/readyz"
}
