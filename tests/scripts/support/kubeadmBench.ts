import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { FakeRoot } from "./fakeRoot.ts";
import type { Run } from "./runScript.ts";
import { runScript } from "./runScript.ts";

const pods = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"] as const;
export type StaticPod = (typeof pods)[number];

/** A kubeadm server with doubles of systemd, kubelet, kubeadm and what it asks; its static pods are real processes. */
export class KubeadmBench {
  readonly root = new FakeRoot();
  readonly #processes: ChildProcess[] = [];

  constructor() {
    const { root } = this;
    root.write("proc/self/mounts", "proc /proc proc rw 0 0\n");
    // The computer's own disk may be busy.
    root.command("sync", "");
    for (const name of ["umount", "ip", "nft", "dpkg"]) root.recorded(name);
    for (const name of ["iptables", "ip6tables"]) {
      for (const kind of ["", "-legacy", "-nft"]) {
        root.command(`${name}${kind}-save`, `cat "$TRIAD_ROOT/state/rules-${name}" 2>/dev/null`);
        root.recorded(`${name}${kind}-restore`, `cat >"$TRIAD_ROOT/state/rules-${name}"`);
      }
    }
    root.recorded("systemctl", systemctl);
    root.recorded("kubeadm", kubeadm);
    root.command("pgrep", pgrep);
    root.command(
      "curl",
      `url=\${@: -1}
       case $url in
         *:2379/*) cat "$TRIAD_ROOT/state/list" 2>/dev/null || exit 7 ;;
         *:2381/health) [[ -e $TRIAD_ROOT/state/healthy ]] || { echo "connection refused"; exit 7; } ;;
         *:10248/healthz) [[ -e $TRIAD_ROOT/state/on-kubelet ]] ;;
         *) exit 64 ;;
       esac`,
    );
  }

  /** Files as kubeadm and its network plugin leave them on a server, with what runs. */
  makeServer(): void {
    const { root } = this;
    for (const name of pods) {
      root.write(`etc/kubernetes/manifests/${name}.yaml`, `${name}\n`);
      this.#start(name);
    }
    root.write("etc/kubernetes/kubelet.conf", "    server: https://192.168.1.10:6443\n");
    for (const name of ["admin", "super-admin", "controller-manager", "scheduler"]) {
      root.write(`etc/kubernetes/${name}.conf`, "key\n");
    }
    for (const name of ["ca.crt", "ca.key", "sa.key", "etcd/ca.key", "etcd/ca.crt"]) {
      root.write(`etc/kubernetes/pki/${name}`, `${name}\n`);
    }
    root.write("etc/kubernetes/triad/audit-policy.yaml", "kind: Policy\n");
    root.write("var/lib/etcd/member/snap/db", "data\n");
    root.write("var/lib/kubelet/config.yaml", "x\n");
    root.write("var/lib/kubelet/pods/1/volumes/v/file", "x\n");
    root.write("etc/cni/net.d/10-flannel.conflist", "{}\n");
    root.write("var/lib/cni/networks/cbr0/10.244.0.2", "");
    root.write("var/lib/triad/joined", "kubeadm v1.34.2\n");
    root.write("state/on-kubelet", "");
    root.write(
      "state/rules-iptables",
      "*nat\n-A OUTPUT -j KUBE-SERVICES\n-A OUTPUT -j MINE\nCOMMIT\n",
    );
  }

  #start(name: StaticPod): void {
    const child = spawn("sleep", ["1000"], { stdio: "ignore" });
    this.#processes.push(child);
    this.root.write(`state/pid-${name}`, `${child.pid}`);
    this.root.write(`proc/${child.pid}/cgroup`, "0::/kubepods/burstable/x\n");
  }

  /** An etcd that is none of kubelet's. */
  startForeign(name: StaticPod): ChildProcess {
    this.#start(name);
    const child = this.#processes.at(-1);
    assert.ok(child);
    this.root.write(`proc/${child.pid}/cgroup`, "0::/system.slice/etcd.service\n");
    return child;
  }

  runs(name: StaticPod): boolean {
    return (
      existsSync(this.root.at(`state/pid-${name}`)) &&
      alive(Number(this.root.read(`state/pid-${name}`)))
    );
  }

  has(path: string): boolean {
    return existsSync(this.root.at(path));
  }

  list(folder: string): string[] {
    return existsSync(this.root.at(folder)) ? readdirSync(this.root.at(folder)).sort() : [];
  }

  /** The only folder that is in this one. */
  only(folder: string): string {
    const names = readdirSync(this.root.at(folder));
    assert.equal(names.length, 1, names.join(" "));
    return `${folder}/${names[0]}`;
  }

  switchKubeletOff(): void {
    rmSync(this.root.at("state/on-kubelet"), { force: true });
  }

  /** What etcd on this machine answers: its own member's number, and those in the list. */
  etcd(own: string, ...members: string[]): void {
    this.root.write(
      "state/list",
      JSON.stringify({ header: { member_id: own }, members: members.map((ID) => ({ ID })) }),
    );
  }

  async script(script: string, verb: string, variables: Record<string, string> = {}): Promise<Run> {
    mkdirSync(this.root.at("state"), { recursive: true });
    return await runScript(script, verb, variables, { root: this.root.root, path: this.root.path });
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
    for (const child of this.#processes) child.kill("SIGKILL");
    this.root.remove();
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const systemctl = String.raw`
on=$TRIAD_ROOT/state/on-kubelet
case "$*" in
  "is-active --quiet kubelet") [[ -e $on ]] ;;
  "stop kubelet") rm -f "$on" ;;
  "restart kubelet" | "start kubelet") touch "$on" ;;
  daemon-reload) ;;
  *) echo "this systemctl knows no $*" >&2; exit 64 ;;
esac`;

// What kubeadm reset does of itself, as of v1.34: it leaves etcd's data, and fails where it cannot unmount.
const kubeadm = String.raw`
cd "$TRIAD_ROOT"
case "$*" in
  "reset --force --skip-phases remove-etcd-member"*)
    ! grep -q ' /var/lib/kubelet/' proc/self/mounts || { echo "error: failed to unmount"; exit 1; }
    [[ ! -e state/reset-fails ]] || { echo "error: found multiple CRI endpoints"; exit 1; }
    rm -f state/on-kubelet
    for name in kube-apiserver kube-controller-manager kube-scheduler etcd; do
      [[ ! -e state/pid-$name ]] || kill -KILL "$(<"state/pid-$name")" 2>/dev/null
    done
    rm -rf etc/kubernetes/manifests/* etc/kubernetes/pki/* var/lib/kubelet/*
    rm -f etc/kubernetes/{admin,super-admin,kubelet,bootstrap-kubelet,controller-manager,scheduler}.conf
    echo "[reset] done" ;;
  "join --config "*)
    [[ ! -e var/lib/etcd/member && ! -e etc/kubernetes/kubelet.conf && ! -e etc/kubernetes/pki/ca.crt ]] ||
      { echo "error execution phase preflight: not empty"; exit 1; }
    mkdir -p etc/kubernetes/manifests etc/kubernetes/pki var/lib/etcd/member
    for file in kubelet.conf admin.conf pki/ca.crt manifests/kube-apiserver.yaml manifests/etcd.yaml; do echo new >etc/kubernetes/$file; done
    touch state/on-kubelet state/healthy ;;
  *) exit 64 ;;
esac`;

// Names of processes have 15 characters at most. kubelet ends what has no file any more, and starts what has one.
const pgrep = String.raw`
[[ $1 == -x && ${"${#2}"} -le 15 ]] || exit 1
name=$2
[[ $name != kube-controller ]] || name=kube-controller-manager
file=$TRIAD_ROOT/state/pid-$name
[[ -e $file ]] || exit 1
pid=$(<"$file")
if [[ -e $TRIAD_ROOT/state/on-kubelet && ! -e $TRIAD_ROOT/etc/kubernetes/manifests/$name.yaml && ! -e $TRIAD_ROOT/state/stuck-$name ]] &&
  grep -qs kubepods "$TRIAD_ROOT/proc/$pid/cgroup"; then
  kill -TERM "$pid" 2>/dev/null
fi
# A child of the test that has ended stays a zombie until it looks.
if [[ -e $TRIAD_ROOT/state/on-kubelet && -e $TRIAD_ROOT/etc/kubernetes/manifests/$name.yaml ]] &&
  { ! kill -0 "$pid" 2>/dev/null || grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null; }; then
  setsid sleep 60 </dev/null >/dev/null 2>&1 3>&- &
  pid=$!
  echo "$pid" >"$file"
  mkdir -p "$TRIAD_ROOT/proc/$pid"
  echo "0::/kubepods/burstable/x" >"$TRIAD_ROOT/proc/$pid/cgroup"
fi
kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null && echo "$pid"`;
