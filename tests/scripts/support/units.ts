import { readFileSync } from "node:fs";
import type { FakeRoot } from "./fakeRoot.ts";

/** What a unit runs in the foreground; it writes its process id to $pidfile. */
const commands = {
  haproxy: `haproxy -W -f "$TRIAD_ROOT/etc/haproxy/haproxy.cfg" -p "$pidfile"`,
  keepalived: `keepalived --dont-fork --vrrp --log-console --use-file "$TRIAD_ROOT/etc/keepalived/keepalived.conf" --pid "$pidfile" --vrrp_pid "$pidfile.vrrp"`,
};
const reloads = {
  haproxy: `haproxy -c -q -f "$TRIAD_ROOT/etc/haproxy/haproxy.cfg" && kill -USR2 "$(<"$pidfile")"`,
  keepalived: `kill -HUP "$(<"$pidfile")"`,
};

export type Unit = keyof typeof commands;

/**
 * A `systemctl` that runs the real programs as Debian's units do, without systemd, and notes each call.
 * {@link endUnit} belongs into the test's clean-up.
 */
export function installUnits(root: FakeRoot): void {
  root.write("var/lib/haproxy/.keep", "");
  root.write("run/haproxy/.keep", "");
  root.recorded("systemd-run");
  root.recorded(
    "systemctl",
    String.raw`
verb=$1 unit=${"${@: -1}"}
pidfile=$TRIAD_ROOT/run/$unit.pid
active() { [[ -s $pidfile ]] && kill -0 "$(<"$pidfile")" 2>/dev/null; }
command() {
  case $unit in
    haproxy) exec ${commands.haproxy} ;;
    keepalived) exec ${commands.keepalived} ;;
  esac
}
start() {
  ! active || return 0
  export -f command; export unit pidfile
  setsid bash -c command </dev/null >>"$TRIAD_ROOT/$unit.log" 2>&1 3>&- 9>&- &
  for _ in {1..100}; do ! active || return 0; sleep 0.05; done
  return 1
}
stop() {
  active || return 0
  local pid
  pid=$(<"$pidfile")
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}
case "$*" in
  "is-active --quiet $unit") active ;;
  "is-active $unit") if active; then echo active; else echo inactive; exit 3; fi ;;
  "is-enabled --quiet $unit") [[ -e $TRIAD_ROOT/enabled-$unit ]] ;;
  "enable $unit") touch "$TRIAD_ROOT/enabled-$unit" ;;
  "enable --now $unit") touch "$TRIAD_ROOT/enabled-$unit"; start ;;
  "disable $unit") rm -f "$TRIAD_ROOT/enabled-$unit" ;;
  "start $unit") start ;;
  "is-enabled $unit") [[ -e $TRIAD_ROOT/enabled-$unit ]] ;;
  "restart $unit") stop; start ;;
  "stop $unit") stop ;;
  "disable --now $unit") rm -f "$TRIAD_ROOT/enabled-$unit"; stop ;;
  "reload haproxy") ${reloads.haproxy} ;;
  "reload keepalived") ${reloads.keepalived} ;;
  "reset-failed $unit") ;;
  *) echo "this systemctl knows no $*" >&2; exit 64 ;;
esac`,
  );
}

export function unitPid(root: FakeRoot, unit: Unit): number | undefined {
  try {
    return Number(readFileSync(root.at(`run/${unit}.pid`), "utf8").trim());
  } catch {
    return undefined;
  }
}

/** Ends a unit and its children as the plug pulled does. */
export async function endUnit(root: FakeRoot, unit: Unit): Promise<void> {
  const pid = unitPid(root, unit);
  if (pid === undefined) return;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      // setsid made the process the leader of a group of its own.
      process.kill(-pid, "SIGKILL");
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${unit} ${pid} does not end`);
}
