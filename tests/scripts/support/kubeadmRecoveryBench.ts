import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { field } from "./field.ts";
import { FakeRoot } from "./fakeRoot.ts";
import { type Run, runScript } from "./runScript.ts";

const controlPlane = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"];
const etcd = `apiVersion: v1
spec:
  containers:
  - command:
    - etcd
    - --data-dir=/var/lib/etcd
    - --initial-advertise-peer-urls=https://10.0.20.101:2380
    - --initial-cluster=one=https://10.0.20.100:2380,two=https://10.0.20.101:2380
    - --name=two
    image: registry.k8s.io/etcd:3.6.5-0
`;

/**
 * A server that kubeadm made, whose two others are gone. Its kubelet runs what lies among the manifests, whenever anybody
 * looks; an API server that runs beside an etcd notes what that has, in `served`.
 */
export class KubeadmRecoveryBench {
  readonly root = new FakeRoot();

  constructor() {
    const { root } = this;
    for (const name of controlPlane) {
      root.write(`etc/kubernetes/manifests/${name}.yaml`, name === "etcd" ? etcd : `${name}\n`);
    }
    root.write("etc/kubernetes/admin.conf", "admin");
    root.write("etc/kubernetes/kubelet.conf", "kubelet");
    root.write("etc/kubernetes/pki/ca.key", "key");
    root.write("var/lib/etcd/member/wal/0.wal", "of three");
    root.write("var/lib/etcd/member/snap/db", "of three");
    root.write("state/kubelet", "");
    root.write("state/api-was-reached", "");
    root.command("df", `echo Avail; cat "$TRIAD_ROOT/free-kib" 2>/dev/null || echo 99999999`);
    root.write("kubelet", kubelet);
    const looked = (body: string): string => `source "$TRIAD_ROOT/kubelet"; look\n${body}`;
    root.recorded("systemctl", looked(systemctl));
    root.command("pgrep", looked(pgrep));
    root.command("curl", looked(curl));
    root.command("kubectl", looked("serves || { echo 'connection refused' >&2; exit 1; }"));
    root.recorded("ctr", ctr);
  }

  async script(verb: string, variables: Record<string, string> = {}): Promise<Run> {
    return await runScript(
      "kubeadm-recover.sh",
      verb,
      { NODE_ADDRESS: "10.0.20.101", SNAPSHOT: "", ...variables },
      { root: this.root.root, path: this.root.path },
    );
  }

  async succeed(verb: string, variables: Record<string, string> = {}): Promise<unknown> {
    const { exitCode, stderr, result } = await this.script(verb, variables);
    if (exitCode !== 0) throw new Error(stderr);
    return result;
  }

  async phase(): Promise<unknown> {
    return field(await this.succeed("check"), "phase");
  }

  /** What etcd had whenever an API server ran on it, without repetitions; one of three has no quorum and serves nothing. */
  served(): string[] {
    if (!existsSync(this.root.at("served"))) return [];
    const all = this.root.read("served").trim().split("\n");
    const lines = all.filter((line) => line !== "of three");
    return lines.filter((line, index) => line !== lines[index - 1]);
  }

  data(): string {
    return this.root.read("var/lib/etcd/member/wal/0.wal");
  }

  /** What the one cold copy has of etcd's data. */
  kept(): string {
    const folder = "var/lib/triad/recovery";
    const names = readdirSync(this.root.at(folder)).filter((name) => /^\d{8}T\d{6}$/.test(name));
    if (names.length !== 1) throw new Error(names.join(" "));
    return this.root.read(`${folder}/${names[0]}/etcd/member/wal/0.wal`);
  }

  manifests(): string[] {
    return readdirSync(this.root.at("etc/kubernetes/manifests")).sort();
  }

  /** Nothing runs any more but what kubelet starts, which does by itself. */
  boot(): void {
    this.#cutPower();
    execFileSync(this.root.at("stub-commands/systemctl"), ["start", "kubelet"], {
      env: { PATH: "/usr/bin:/bin", TRIAD_ROOT: this.root.root },
    });
  }

  remove(): void {
    this.#cutPower();
    this.root.remove();
  }

  #cutPower(): void {
    for (const name of controlPlane) {
      if (existsSync(this.root.at(`state/pid-${name}`)))
        endProcess(Number(this.root.read(`state/pid-${name}`)));
      rmSync(this.root.at(`state/${name}`), { force: true });
    }
    rmSync(this.root.at("state/kubelet"), { force: true });
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended before.
  }
}

// Its pods are real processes. Since its start it ends and exchanges none before it has reached an API server.
const kubelet = String.raw`
manifests=$TRIAD_ROOT/etc/kubernetes/manifests state=$TRIAD_ROOT/state wal=$TRIAD_ROOT/var/lib/etcd/member/wal/0.wal
serves() { [[ -e $state/etcd && -e $state/kube-apiserver && $(<"$wal") != "of three" && $(<"$wal") != half ]]; }
lives() {
  local pid
  [[ -e $state/$1 ]] || return 1
  pid=$(<"$state/pid-$1")
  kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null
}
begin() {
  cp "$manifests/$1.yaml" "$state/$1"
  setsid sleep 60 </dev/null >/dev/null 2>&1 3>&- &
  echo "$!" >"$state/pid-$1"
  mkdir -p "$TRIAD_ROOT/proc/$!"
  echo "0::/kubepods/burstable/x" >"$TRIAD_ROOT/proc/$!/cgroup"
}
finish() {
  kill -KILL "$(<"$state/pid-$1")" 2>/dev/null
  rm -f "$state/$1"
}
look() {
  local name
  for name in ${controlPlane.join(" ")}; do lives "$name" || rm -f "$state/$name"; done
  if [[ -e $state/kubelet ]]; then
    ! serves || touch "$state/api-was-reached"
    for name in ${controlPlane.join(" ")}; do
      if [[ -e $state/$name && -e $state/api-was-reached ]] && ! cmp -s "$manifests/$name.yaml" "$state/$name"; then finish "$name"; fi
      if [[ ! -e $state/$name && -e $manifests/$name.yaml ]]; then begin "$name"; fi
    done
  fi
  if [[ -e $state/etcd ]] && grep -q -- --force-new-cluster "$state/etcd"; then
    if [[ -e $TRIAD_ROOT/etcd-dies ]]; then echo half >"$wal"; finish etcd
    elif [[ $(<"$wal") == "of three" ]]; then echo "of one" >"$wal"; fi
  fi
  [[ ! -e $state/etcd || ! -e $state/kube-apiserver ]] || { cat "$wal"; echo; } | head -n 1 >>"$TRIAD_ROOT/served"
}`;

const systemctl = String.raw`
case "$*" in
  "start kubelet") [[ -e $state/kubelet ]] || rm -f "$state/api-was-reached"; touch "$state/kubelet" ;;
  "stop kubelet") rm -f "$state/kubelet" ;;
  "restart kubelet") rm -f "$state/api-was-reached"; touch "$state/kubelet" ;;
  "is-active --quiet kubelet") [[ -e $state/kubelet ]] || exit 3 ;;
  "show kubelet "*) echo "Thu 2026-01-01 00:00:00 UTC" ;;
  *) echo "this systemctl knows no $*" >&2; exit 64 ;;
esac
look`;

const pgrep = String.raw`
name=${"${@: -1}"}
[[ ${"${#name}"} -le 15 ]] || exit 1
[[ $name != kube-controller ]] || name=kube-controller-manager
[[ -e $state/$name ]] || exit 1
pid=$(<"$state/pid-$name")
if [[ $1 == -a ]]; then echo "$pid $name $(grep -o -- --force-new-cluster "$state/$name")"; else echo "$pid"; fi`;

const curl = String.raw`
case ${"${@: -1}"} in
  *:10248/healthz) [[ -e $state/kubelet ]] ;;
  *) [[ -e $state/etcd && $(<"$wal") != "of three" && $(<"$wal") != half ]] || { echo "context deadline exceeded" >&2; exit 22; }
     echo '{"members":[{"ID":"1","name":"two"}]}' ;;
esac`;

const ctr = String.raw`
case "$*" in
  "-n k8s.io images mount "*)
    [[ ! -e $TRIAD_ROOT/no-image ]] || { echo "image not found" >&2; exit 1; }
    mkdir -p "$6/usr/local/bin"
    cat >"$6/usr/local/bin/etcdutl" <<'END'
#!/bin/bash
printf '%s\n' "$*" >>"$TRIAD_ROOT/calls/etcdutl"
[[ $* != *--help ]] || { [[ -e $TRIAD_ROOT/old-etcd ]] || echo "--bump-revision"; exit 0; }
for word in "$@"; do [[ $last != --data-dir ]] || folder=$word; last=$word; done
[[ ! -e $TRIAD_ROOT/bad-snapshot ]] || { echo "Error: expected sha256, got another" >&2; exit 1; }
mkdir -p "$folder/member/wal"
install -D "$3" "$folder/member/snap/db"
cp "$3" "$folder/member/wal/0.wal"
END
    chmod +x "$6/usr/local/bin/etcdutl" ;;
  "-n k8s.io images unmount "*) rm -rf "$6/usr" ;;
  *) exit 64 ;;
esac`;
