# shellcheck shell=bash
#
# A virtual machine has finished its first boot: cloud-init has set up what it was told, or says what it could not. And it
# is not destroyed, with its disk, while it is a server still: the last one of a cluster never leaves.
#
# Verbs
#   ensure, check   wait for cloud-init
#   remove          refuse while there is a server's data; else nothing, as the machine goes as a whole
#
# Variables
#   BORN            which life of the machine this is; only so that another one is waited for anew
#   BOOT_SECONDS    how long cloud-init may take, default 600: it may install packages
#   ON_DESTROY      wipe: a server's data may go
#
# part: k3s/service.sh

ensure() {
  local status=0 said limit=${BOOT_SECONDS:-600}
  command -v cloud-init >/dev/null ||
    fail "$(hostname) has no cloud-init" "nothing has set up its address, its user and its host key as they should be" \
      "give a template or an image with cloud-init, for instance a cloud image of Debian or Ubuntu"
  said=$(timeout "$limit" cloud-init status --wait --long 2>&1 </dev/null) || status=$?
  case $status in
    0) ;;
    # Since 23.4: it is done, and something that can be lived with went wrong on the way.
    2) warn "cloud-init says on $(hostname): $(told_by "$said")" ;;
    124)
      fail "cloud-init on $(hostname) is not done after $limit s" "the machine is not set up yet" \
        "see /var/log/cloud-init-output.log there; packages that can't be downloaded are the usual reason"
      ;;
    *)
      fail "cloud-init on $(hostname) has failed: $(told_by "$said")" "the machine is not what it was to be" \
        "see /var/log/cloud-init.log there, mend the template or triad:proxmox, and make the machine anew"
      ;;
  esac
  result "{\"changed\":false,\"cloudInit\":$(json_string "$(sed -n 's/^status: *//p' <<<"$said" | tail -n 1)")}"
}

check() { ensure; }

remove() {
  [[ ${ON_DESTROY:-} == wipe ]] || ! holds_server_data ||
    fail "$(hostname) is a server still, the last one of its cluster perhaps, and its disk would go with it" \
      "the cluster's data would be gone" \
      "for good: say onDestroy: wipe and wipe: <the cluster's name>, pulumi up, then destroy; to keep it: onDestroy: forget"
  result '{"changed":false}'
}

holds_server_data() {
  [[ -d $ROOT/var/lib/etcd/member ]] || { has_unit k3s && [[ $(datastore) != none ]]; }
}

# told_by TEXT: its lines as one, without the dots of waiting
told_by() { tr -s '.\n' '. ' <<<"$1" | sed 's/^[. ]*//; s/ *$//'; }
