import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { FakeRoot } from "./fakeRoot.ts";
import type { Run } from "./runScript.ts";
import { runScript } from "./runScript.ts";

export const version = "v1.34.2+k3s1";

/** The unit of an agent as k3s's installer writes it. */
export const agentUnit = `[Unit]
Description=Lightweight Kubernetes
[Service]
Type=exec
EnvironmentFile=-/etc/systemd/system/k3s-agent.service.env
KillMode=process
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/k3s \\
    agent \\
	'--node-label=disk=ssd' \\

`;
export const agentEnvironment = "K3S_TOKEN='agents-secret'\nK3S_URL='https://192.168.1.5:6443'\n";

/** A machine with doubles of systemd, its journal, k3s and what answers on its ports; no unit at first. */
export class K3sBench {
  readonly root = new FakeRoot();

  constructor() {
    const { root } = this;
    mkdirSync(root.at("etc/systemd/system"), { recursive: true });
    mkdirSync(root.at("state"), { recursive: true });
    root.write("proc/self/mounts", "proc /proc proc rw 0 0\n");
    // The computer's own disk may be busy.
    root.command("sync", "");
    root.command(
      "k3s",
      `case "$*" in
         --version) echo "k3s version ${version} (double)"; echo "go version go1.24" ;;
         *"get --raw /readyz") [[ -e $TRIAD_ROOT/state/on-k3s && ! -e $TRIAD_ROOT/state/not-ready ]] || { echo "connection refused" >&2; exit 1; } ;;
         *) exit 64 ;;
       esac`,
    );
    root.recorded("journalctl", `cat "$TRIAD_ROOT/journal" 2>/dev/null`);
    root.recorded(
      "curl",
      `url=\${@: -1}
       case $url in
         *:10248/healthz) [[ -e $TRIAD_ROOT/state/on-k3s || -e $TRIAD_ROOT/state/on-k3s-agent ]] ;;
         https://127.0.0.1:2382/*)
           # Once, where it is told to be late.
           ! rm "$TRIAD_ROOT/state/gateway/late" 2>/dev/null || exit 28
           cat "$TRIAD_ROOT/state/gateway/\${url##*/}" 2>/dev/null || { echo "connection refused" >&2; exit 7; } ;;
         *) exit 64 ;;
       esac`,
    );
    for (const name of ["umount", "ip", "modprobe", "nft"]) root.recorded(name);
    for (const name of ["iptables", "ip6tables"]) {
      for (const kind of ["", "-legacy", "-nft"]) {
        root.command(`${name}${kind}-save`, `cat "$TRIAD_ROOT/state/rules-${name}" 2>/dev/null`);
        root.recorded(`${name}${kind}-restore`, `cat >"$TRIAD_ROOT/state/rules-${name}"`);
      }
    }
    root.command("pgrep", "exit 1");
    root.recorded("systemctl", systemctl);
  }

  /** What the unit does when it starts, in bash; by default it runs. `run` makes it so. */
  onStart(unit: "k3s" | "k3s-agent", body: string): void {
    this.root.write(`hooks/${unit}`, body);
  }

  installAgent(): void {
    this.root.write("etc/systemd/system/k3s-agent.service", agentUnit);
    this.root.write("etc/systemd/system/k3s-agent.service.env", agentEnvironment);
    chmodSync(this.root.at("etc/systemd/system/k3s-agent.service.env"), 0o600);
    this.root.write("usr/local/bin/k3s-agent-uninstall.sh", "#!/bin/sh\n");
    this.root.write("var/lib/rancher/k3s/storage/pvc-1/marker", "data\n");
    this.root.write("var/lib/rancher/k3s/agent/images/a.tar", "");
    this.switchOn("k3s-agent");
    this.root.write("state/enabled-k3s-agent", "");
  }

  switchOn(unit: "k3s" | "k3s-agent"): void {
    this.root.write(`state/on-${unit}`, "7\n");
  }

  runs(unit: "k3s" | "k3s-agent"): boolean {
    return existsSync(this.root.at(`state/on-${unit}`));
  }

  isEnabled(unit: "k3s" | "k3s-agent"): boolean {
    return existsSync(this.root.at(`state/enabled-${unit}`));
  }

  /** What the JSON gateway of etcd answers on a path's last part. */
  gateway(part: "list" | "status" | "remove", answer: object): void {
    this.root.write(`state/gateway/${part}`, JSON.stringify(answer));
  }

  has(path: string): boolean {
    return existsSync(this.root.at(path));
  }

  /** The only folder that is in this one. */
  only(folder: string): string {
    const names = readdirSync(this.root.at(folder));
    assert.equal(names.length, 1, names.join(" "));
    return `${folder}/${names[0]}`;
  }

  did(...verbs: string[]): string[] {
    return this.root.calls("systemctl").filter((call) => verbs.includes(call.split(" ")[0] ?? ""));
  }

  forgetCalls(): void {
    rmSync(this.root.at("calls/systemctl"), { force: true });
  }

  async script(script: string, verb: string, variables: Record<string, string> = {}): Promise<Run> {
    const place = { root: this.root.root, path: this.root.path };
    const run = await runScript(script, verb, variables, place);
    assert.ok(!this.has("state/two-kubelets"), "server and agent ran at once");
    return run;
  }

  async succeed(
    script: string,
    verb: string,
    variables: Record<string, string> = {},
  ): Promise<unknown> {
    const run = await this.script(script, verb, variables);
    assert.equal(run.exitCode, 0, run.stderr);
    // Not from a subshell either.
    assert.doesNotMatch(run.stderr, /^error: stopped in /m);
    return run.result;
  }

  stop(): void {
    this.root.remove();
  }
}

const systemctl = String.raw`
state=$TRIAD_ROOT/state unit=${"${@: -1}"} verb=$1
[[ $* != *" --property "* ]] || unit=$2
on=$state/on-$unit
run() { echo $((10 + $(cat "$state/starts" 2>/dev/null || echo 0))) >"$on"; }
fail_with() { printf 'time="x" level=fatal msg="%s"\n' "$1" >>"$TRIAD_ROOT/journal"; }
start() {
  echo $(($(cat "$state/starts" 2>/dev/null || echo 0) + 1)) >"$state/starts"
  [[ -f $TRIAD_ROOT/etc/systemd/system/$unit.service || -f $TRIAD_ROOT/usr/lib/systemd/system/$unit.service ]] || { echo "Unit $unit.service not found." >&2; exit 5; }
  [[ $unit != k3s || ! -e $TRIAD_ROOT/var/lib/triad/leaving || ! -e $TRIAD_ROOT/etc/systemd/system/k3s.service.d/90-triad-leaving.conf ]] || return 0
  if [[ -f $TRIAD_ROOT/hooks/$unit ]]; then source "$TRIAD_ROOT/hooks/$unit"; else run; fi
  [[ ! -e $state/on-k3s || ! -e $state/on-k3s-agent ]] || touch "$state/two-kubelets"
}
case $verb in
  mask) ln -s /dev/null "$TRIAD_ROOT/etc/systemd/system/$unit.service" ;;
  is-active) if [[ -e $on ]]; then echo active; else echo activating; exit 3; fi ;;
  start) [[ -e $on ]] || start ;;
  restart) rm -f "$on"; start ;;
  stop) rm -f "$on" ;;
  enable) touch "$state/enabled-$unit" ;;
  disable) rm -f "$state/enabled-$unit" ;;
  show)
    case $4 in
      MainPID) cat "$on" 2>/dev/null || echo 0 ;;
      ExecMainStartTimestamp) echo "Thu 2026-01-01 00:00:00 UTC" ;;
    esac ;;
  show*) ;;
  daemon-reload | reset-failed) ;;
  *) echo "this systemctl knows no $*" >&2; exit 64 ;;
esac`;
