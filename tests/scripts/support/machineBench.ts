import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { arch } from "node:os";
import { FakeRoot } from "./fakeRoot.ts";
import { listen } from "./listen.ts";
import type { Run } from "./runScript.ts";
import { runScript } from "./runScript.ts";

/** What machine.sh downloads. */
export const names = ["kubeadm", "kubelet", "kubectl"] as const;

/** This computer's, in Kubernetes' words. */
export const architecture = arch() === "arm64" ? "arm64" : "amd64";

/** What the double of kubeadm wants to have. */
export const images = [
  "kube-apiserver:v1.34.2",
  "kube-proxy:v1.34.2",
  "coredns/coredns:v1.12.1",
  "pause:3.10.1",
  "etcd:3.6.5-0",
].map((image) => `registry.k8s.io/${image}`);

/** A binary of Kubernetes that says its version, and as kubeadm its images. */
export function binary(version: string): string {
  return `#!/bin/bash
case "\${0##*/} $*" in
  "kubeadm version -o short") echo ${version} ;;
  "kubelet --version") echo Kubernetes ${version} ;;
  "kubectl version --client") printf 'Client Version: ${version}\\nKustomize Version: v5.7.1\\n' ;;
  "kubeadm config images list --kubernetes-version ${version}") printf '%s\\n' ${images.join(" ")} ;;
  *) echo "unknown: $*" >&2; exit 64 ;;
esac
`;
}

const proc: Readonly<Record<string, string>> = {
  "self/mounts": "proc /proc proc rw 0 0\n",
  swaps: "Filename\tType\tSize\tUsed\tPriority\n",
  filesystems: "nodev\tsysfs\nnodev\toverlay\n",
  "1/status": "Name:\tsystemd\nCapBnd:\t000001ffffffffff\n",
  "sys/net/ipv4/ip_forward": "0\n",
  "sys/net/bridge/bridge-nf-call-iptables": "1\n",
  "sys/net/bridge/bridge-nf-call-ip6tables": "1\n",
  "sys/fs/inotify/max_user_instances": "128\n",
  "sys/fs/inotify/max_user_watches": "1048576\n",
};

/** A bare machine: a fake root with doubles of its commands; downloads come over HTTP from this process. */
export class MachineBench {
  readonly root = new FakeRoot();
  /** What is served, by path. */
  readonly files = new Map<string, string>();
  readonly requests: string[] = [];
  readonly #server = createServer((request, response) => {
    this.requests.push(request.url ?? "");
    const body = this.files.get(request.url ?? "");
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  #artifacts = "";

  async start(): Promise<void> {
    this.#artifacts = `http://127.0.0.1:${await listen(this.#server)}`;
    this.publish("v1.34.2");
    for (const [path, content] of Object.entries(proc)) this.root.write(`proc/${path}`, content);
    mkdirSync(this.root.at("sys/fs/cgroup"), { recursive: true });
    for (const plugin of ["bridge", "host-local"]) this.executable(`usr/lib/cni/${plugin}`);
    this.#installCommands();
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    this.root.remove();
  }

  #installCommands(): void {
    const { root } = this;
    root.command("dpkg-query", "echo 'install ok installed'");
    root.recorded("apt-get");
    root.recorded("modprobe", "exit 1");
    root.recorded("swapoff", `printf 'Filename\\n' >"$TRIAD_ROOT/proc/swaps"`);
    root.command("containerd", "echo 'containerd github.com/containerd/containerd 1.6.20~ds1 x'");
    root.recorded(
      "ctr",
      `[[ $* != *" version" ]] || { [[ -e $TRIAD_ROOT/on-containerd ]]; exit; }
       store=$TRIAD_ROOT/images; touch "$store"
       [[ $* != *" list "* ]] || exec cat "$store"
       if [[ $* == *" remove "* ]]; then grep -vxF "\${@: -1}" "$store" >"$store.new"; exec mv "$store.new" "$store"; fi
       [[ $* != *absent* ]] || exit 1
       printf '%s\\n' "\${@: -1}" >>"$store"`,
    );
    root.recorded(
      "systemctl",
      `unit=\${@: -1}
       case $1 in
         is-active) [[ -e $TRIAD_ROOT/on-$unit ]] && echo active ;;
         is-enabled) [[ -e $TRIAD_ROOT/enabled-$unit ]] && echo enabled ;;
         enable) touch "$TRIAD_ROOT/enabled-$unit" ;;
         disable) rm -f "$TRIAD_ROOT/enabled-$unit" ;;
         stop) rm -f "$TRIAD_ROOT/on-$unit" ;;
         start | restart) [[ ! -e $TRIAD_ROOT/broken ]] && touch "$TRIAD_ROOT/on-$unit" ;;
       esac`,
    );
  }

  pathOf(name: string, version = "v1.34.2"): string {
    return `/release/${version}/bin/linux/${architecture}/${name}`;
  }

  /** Serves this content as every binary, with its checksum. */
  publish(version: string, content = binary(version)): void {
    for (const name of names) {
      const path = this.pathOf(name, version);
      this.files.set(path, content);
      this.files.set(`${path}.sha256`, createHash("sha256").update(content).digest("hex"));
    }
  }

  executable(path: string, content = "#!/bin/sh\n"): void {
    this.root.write(path, content);
    chmodSync(this.root.at(path), 0o755);
  }

  async script(verb: string, changes: Readonly<Record<string, string>> = {}): Promise<Run> {
    const variables = { VERSION: "v1.34.2", ARTIFACTS_URL: this.#artifacts, ROLE: "server" };
    const path = [...this.root.path, this.root.at("usr/local/bin")];
    const place = { root: this.root.root, path };
    return await runScript("machine.sh", verb, { ...variables, ...changes }, place);
  }

  /** The result of a run that must not fail. */
  async succeed(verb: string, changes: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const run = await this.script(verb, changes);
    assert.equal(run.exitCode, 0, run.stderr);
    // Not from a subshell either.
    assert.doesNotMatch(run.stderr, /^error: stopped in /m);
    return run.result;
  }

  async refused(complaint: RegExp, changes: Readonly<Record<string, string>> = {}): Promise<void> {
    const { exitCode, stderr, stdout } = await this.script("ensure", changes);
    assert.equal(exitCode, 1, stdout);
    assert.match(stderr, complaint);
  }

  /** Packages that come and go as apt-get and dpkg do it; each brings a library of its own name. */
  installPackages(...present: string[]): void {
    this.root.write("packages", present.map((name) => `${name}\n`).join(""));
    this.root.command(
      "dpkg-query",
      `store=$TRIAD_ROOT/packages
       if [[ $* == *Abbrev* ]]; then sed 's/^/ii  /' "$store"
       elif grep -qxF "\${@: -1}" "$store"; then echo 'install ok installed'; else exit 1; fi`,
    );
    this.root.recorded(
      "apt-get",
      `while [[ $1 != install ]]; do shift; done
       for name in "\${@:2}"; do printf '%s\nlib%s:amd64\n' "$name" "$name" >>"$TRIAD_ROOT/packages"; done`,
    );
    this.root.recorded(
      "dpkg",
      `if [[ $1 == --no-act ]]; then
         [[ ! -e $TRIAD_ROOT/needed || " $* " != *" $(<"$TRIAD_ROOT/needed") "* ]] || {
           echo "dpkg: dependency problems prevent removal of $(<"$TRIAD_ROOT/needed"):"; exit 1; }
         exit 0
       fi
       for name in "\${@:2}"; do sed -i "/^$name$/d" "$TRIAD_ROOT/packages"; done`,
    );
  }

  /** Every file below the root with its content, but for what the doubles note. */
  snapshot(): string {
    const lines: string[] = [];
    for (const entry of readdirSync(this.root.root, { recursive: true, withFileTypes: true })) {
      const path = `${entry.parentPath}/${entry.name}`;
      if (!entry.isFile() || path.includes("/calls/") || path.includes("/run/")) continue;
      const { mode, ino } = statSync(path);
      lines.push(`${path} ${mode} ${ino} ${readFileSync(path, "utf8")}`);
    }
    return lines.sort().join("\n");
  }

  /** The calls of systemctl with one of these verbs. */
  did(...verbs: string[]): string[] {
    return this.root.calls("systemctl").filter((call) => verbs.includes(call.split(" ")[0] ?? ""));
  }

  /** The images that were fetched, in order. */
  pulled(): string[] {
    return this.root
      .calls("ctr")
      .flatMap((call) => (call.includes(" pull ") ? [call.split(" ").at(-1) ?? ""] : []));
  }
}
