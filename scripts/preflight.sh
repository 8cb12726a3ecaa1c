# shellcheck shell=bash
#
# Whether a machine reaches those it will have to talk to, and how fast its disk is for etcd.
#
# Verbs
#   ensure, check   look, and fail naming every peer that does not answer
#   remove          does nothing
#
# Variables
#   PEERS              "address:port address:port"; a refused connection counts as reached, since nobody
#                      may listen yet
#   FSYNC_WARNING_MS   measure the disk, and warn if one write in a hundred takes longer; empty: do not measure
#   FSYNC_DIRECTORY    on the disk to measure, default /var/lib/etcd, or /var/lib while there is none
#   CONNECT_SECONDS    how long a peer may take, default 3

ensure() {
  local fsync=null
  require_reachable
  if [[ -n ${FSYNC_WARNING_MS:-} ]]; then
    fsync=$(fsync_p99_ms)
    if awk -v seen="$fsync" -v limit="$FSYNC_WARNING_MS" 'BEGIN { exit !(seen > limit) }'; then
      warn "one write in a hundred takes $fsync ms or more to reach the disk (over $FSYNC_WARNING_MS): etcd may lose its leader under load"
    fi
  fi
  result "{\"changed\":false,\"fsyncP99Ms\":$fsync,\"reached\":$(wc -w <<<"${PEERS:-}")}"
}

check() { ensure; }
remove() { :; }

# probe ADDRESS:PORT: prints nothing when it is reached, else what was seen instead
probe() {
  local host=${1%:*} port=${1##*:} answer status=0
  host=${host#[} host=${host%]}
  # shellcheck disable=SC2016 # expanded by the inner bash
  answer=$(timeout "${CONNECT_SECONDS:-3}" bash -c 'exec 3<>"/dev/tcp/$1/$2"' probe "$host" "$port" 2>&1) || status=$?
  case $status:$answer in
    0:* | *"Connection refused"*) ;;
    124:*) printf '%s does not answer within %s s\n' "$1" "${CONNECT_SECONDS:-3}" ;;
    *) printf '%s: %s\n' "$1" "$(sed -n 's/.*: //;1p' <<<"$answer")" ;;
  esac
}

# All at once, so that the silent ones are waited for together.
require_reachable() {
  local peer silent folder
  folder=$(mktemp -d)
  for peer in ${PEERS:-}; do
    probe "$peer" >"$folder/$peer" &
  done
  wait
  silent=$(cat /dev/null "$folder"/* 2>/dev/null || true)
  rm -rf "$folder"
  [[ -z $silent ]] ||
    fail "$(hostname) cannot reach ${silent//$'\n'/; }" "the cluster's machines talk over these ports" \
      "open them in the firewall between, or turn the machine on"
}

# Writes of the size of etcd's, each followed by fdatasync as etcd does, into space that is allocated already
# as etcd's log is: at most 1000 of them (2.3 MB) and 3 s. Perl, as every Debian and Ubuntu has it; its modules
# for fine time are not on every one, so the kernel is asked by number.
# https://etcd.io/docs/v3.6/op-guide/hardware/#disks
fsync_p99_ms() {
  local folder=${FSYNC_DIRECTORY:-$ROOT/var/lib/etcd}
  [[ -d $folder ]] || folder=$ROOT/var/lib
  # shellcheck disable=SC2016 # Perl's variables
  timeout 20 perl -e '
    my ($folder, $machine) = @ARGV;
    my %numbers = (x86_64 => [228, 75], aarch64 => [113, 83]);
    my ($clock_gettime, $fdatasync) = @{ $numbers{$machine} // die "no system call numbers for $machine\n" };
    sub now {
      my $time = pack("q2", 0, 0);
      syscall($clock_gettime, 1, $time) == 0 or die "clock_gettime: $!\n";
      my ($seconds, $nanoseconds) = unpack("q2", $time);
      return $seconds + $nanoseconds / 1e9;
    }
    my $file = "$folder/.triad-fsync.$$";
    open(my $out, "+>", $file) or die "$file: $!\n";
    unlink $file;
    my ($size, $count, $limit) = (2300, 1000, 3);
    my $block = "t" x $size;
    my $put = sub { (syswrite($out, $block) // 0) == $size or die "$file: $!\n" };
    my $sync = sub { syscall($fdatasync, fileno($out)) == 0 or die "$file: $!\n" };
    $put->() for 1 .. $count;
    $sync->();
    sysseek($out, 0, 0);
    my ($end, @took) = (now() + $limit);
    while (@took < $count && now() < $end) {
      my $start = now();
      $put->();
      $sync->();
      push @took, now() - $start;
    }
    @took = sort { $a <=> $b } @took;
    printf "%.2f", 1000 * $took[int(0.99 * $#took)];
  ' "$folder" "$(uname -m)"
}
