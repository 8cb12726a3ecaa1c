# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set in lib.sh, read there or in the scripts that name this part
#
# A part of the scripts whose remove must not take away what somebody still needs.
#   ON_DESTROY  leave (also where it is empty): what the cluster's clients need stays; forget: everything stays;
#               wipe: everything goes
#   OWN         true where a load balancer is carried by a server

# stays WHAT: whether it is not to be removed, whatever else is found; says why
stays() {
  case ${ON_DESTROY:-leave} in
    forget)
      info "$1 stays, as the config says that all of it is to be forgotten"
      return 0
      ;;
    leave) ;;
    wipe) return 1 ;;
    *) fail "ON_DESTROY is $ON_DESTROY" "what is to stay is not known" "give leave, forget or wipe" ;;
  esac
  [[ ${OWN:-} == true ]] && serves || return 1
  info "$1 stays: this machine is still a server"
}

# serves: whether this machine is a server, one that leaves excepted
serves() {
  local folder
  [[ ! -f $ROOT/etc/kubernetes/manifests/kube-apiserver.yaml ]] || return 0
  [[ ! -f $ROOT/var/lib/triad/leaving ]] || return 1
  for folder in etc/systemd/system usr/local/lib/systemd/system usr/lib/systemd/system; do
    [[ ! -f $ROOT/$folder/k3s.service ]] || return 0
    [[ ! -L $ROOT/$folder/k3s.service ]] || return 1
  done
  return 1
}
