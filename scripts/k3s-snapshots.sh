# shellcheck shell=bash
# shellcheck disable=SC2154 # the header and lib.sh set what is read here
#
# Says which snapshots of etcd k3s has taken by its schedule on this server; it changes nothing.
# Variables: SNAPSHOT_DIRECTORY, SNAPSHOT_NAME (with which the names of scheduled ones begin; those on demand differ).

check() {
  require SNAPSHOT_DIRECTORY SNAPSHOT_NAME
  local folder=$ROOT$SNAPSHOT_DIRECTORY file count=0 newest=null newest_at=null at since=null
  for file in "$folder/$SNAPSHOT_NAME"-*; do
    at=$(taken_at "$file") || continue
    count=$((count + 1))
    if [[ $newest_at == null ]] || ((at > newest_at)); then
      newest=$(json_string "${file##*/}")
      newest_at=$at
    fi
  done
  # k3s writes it once, when it becomes a member.
  file=$ROOT/var/lib/rancher/k3s/server/db/etcd/name
  [[ ! -e $file ]] || since=$(stat -c %Y "$file")
  result "{\"directory\":$(json_string "$SNAPSHOT_DIRECTORY"),\"count\":$count,\"newest\":$newest,\"newestAt\":$newest_at,\"etcdSince\":$since,\"now\":$(date +%s),\"timeZone\":$(json_string "$(time_zone)")}"
}

# The name ends with the time, in seconds; an empty file is one that was cut short.
taken_at() {
  local name=${1##*/}
  [[ -s $1 && ${name%.zip} =~ -([0-9]{9,12})$ ]] || return 1
  printf '%s' "${BASH_REMATCH[1]}"
}

time_zone() {
  local link
  link=$(readlink "$ROOT/etc/localtime") || true
  if [[ $link == */zoneinfo/* ]]; then
    printf '%s' "${link##*/zoneinfo/}"
  else
    printf UTC
  fi
}
