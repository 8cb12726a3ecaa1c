import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { K3sBench } from "./k3sBench.ts";

const db = "var/lib/rancher/k3s/server/db";

/** A k3s server whose two others are gone: its unit runs and its API is not ready. */
export class RecoveryBench extends K3sBench {
  constructor() {
    super();
    const { root } = this;
    root.write(
      "etc/systemd/system/k3s.service",
      "[Service]\nEnvironmentFile=-/etc/systemd/system/k3s.service.env\nExecStart=/usr/local/bin/k3s server --flannel-backend=host-gw\n",
    );
    root.write(
      "etc/rancher/k3s/config.yaml.d/50-triad.yaml",
      '# Written by Triad.\nserver: "https://192.168.1.50:6443"\nnode-name: "shuttle"\n',
    );
    root.write(`${db}/etcd/member/wal/0.wal`, "of three");
    root.write(`${db}/etcd/member/snap/db`, "of three");
    root.write(`${db}/etcd/name`, "shuttle-1a2b3c4d");
    root.write("var/lib/rancher/k3s/server/token", "K10abc::server:secret\n");
    root.write("state/not-ready", "");
    this.switchOn("k3s");
    root.command("df", `echo Avail; cat "$TRIAD_ROOT/free-kib" 2>/dev/null || echo 99999999`);
    root.recorded("systemd-run", reset);
    this.onStart(
      "k3s",
      `guard=$TRIAD_ROOT/etc/systemd/system/k3s.service.d/95-triad-recovery.conf
       if [[ -e $guard && -e $TRIAD_ROOT/var/lib/triad/recovery/closed ]]; then return 0; fi
       cat "$TRIAD_ROOT/${db}/etcd/member/wal/0.wal" >>"$TRIAD_ROOT/served"
       echo >>"$TRIAD_ROOT/served"
       rm -f "$TRIAD_ROOT/${db}/reset-flag"
       run`,
    );
  }

  phase(): string {
    return this.has("var/lib/triad/recovery/phase")
      ? this.root.read("var/lib/triad/recovery/phase").trim()
      : "none";
  }

  /** What each start of k3s found in etcd. */
  served(): string[] {
    return existsSync(this.root.at("served")) ? this.root.read("served").trim().split("\n") : [];
  }

  data(): string {
    return this.root.read(`${db}/etcd/member/wal/0.wal`);
  }

  /** The cold copies' folders, the oldest first. */
  kept(): string[] {
    const folder = "var/lib/triad/recovery";
    return readdirSync(this.root.at(folder))
      .filter((name) => /^\d{8}T\d{6}$/.test(name))
      .sort()
      .map((name) => `${folder}/${name}`);
  }

  config(): string {
    return readFileSync(this.root.at("etc/rancher/k3s/config.yaml.d/50-triad.yaml"), "utf8");
  }

  snapshot(path: string, text: string): void {
    mkdirSync(this.root.at("backups"), { recursive: true });
    this.root.write(path, text);
  }

  /** What a machine does when it is switched on again: the unit starts if it may. */
  boot(): void {
    execFileSync(this.root.at("stub-commands/systemctl"), ["restart", "k3s"], {
      env: { PATH: "/usr/bin:/bin", TRIAD_ROOT: this.root.root },
    });
  }
}

/** k3s's own reset: it writes its flag first, and moves data aside for a snapshot. */
const reset = String.raw`
db=$TRIAD_ROOT/${db}
[[ ! -e $TRIAD_ROOT/state/on-k3s ]] || { echo "k3s runs" >&2; exit 1; }
! grep -qs '^server:' "$TRIAD_ROOT/etc/rancher/k3s/config.yaml.d/50-triad.yaml" ||
  { echo 'level=fatal msg="cannot perform cluster-reset while server URL is set"'; exit 1; }
path=''
for word in "$@"; do [[ $word != --cluster-reset-restore-path=* ]] || path=${"${word#*=}"}; done
if [[ -z $path && -e $db/reset-flag ]]; then
  echo 'level=fatal msg="Managed etcd cluster membership was previously reset"'; exit 1
fi
touch "$db/reset-flag"
if [[ -n $path ]]; then
  mv "$db/etcd" "$db/etcd-old-$(cat "$TRIAD_ROOT/resets" 2>/dev/null | wc -l)" || exit 1
  mkdir -p "$db/etcd/member/wal"
  [[ $path != *.zip ]] || { echo unzipped >>"$TRIAD_ROOT/unzipped"; }
  install -D "$path" "$db/etcd/member/snap/db"
  cp "$path" "$db/etcd/member/wal/0.wal"
else
  echo half >"$db/etcd/member/wal/0.wal"
fi
echo reset >>"$TRIAD_ROOT/resets"
if [[ -e $TRIAD_ROOT/reset-dies ]]; then rm "$TRIAD_ROOT/reset-dies"; kill -KILL -- -"$(ps -o sid= $$ | tr -d ' ')" -"$(ps -o pgid= $$ | tr -d ' ')"; fi
if [[ -e $TRIAD_ROOT/reset-fails ]]; then echo 'level=fatal msg="etcd: token: secret wrong"'; exit 1; fi
[[ -n $path ]] || echo "of one" >"$db/etcd/member/wal/0.wal"
rm -f "$TRIAD_ROOT/state/not-ready"
echo 'level=info msg="Managed etcd cluster membership has been reset, restart without --cluster-reset flag now"'`;
