import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FakeRoot } from "./fakeRoot.ts";
import { runScript, type Run } from "./runScript.ts";

const database = "var/lib/rancher/k3s/server/db";
const double = `"${process.execPath}" "${join(import.meta.dirname, "conversionDouble.ts")}"`;

/** kine's table, as k3s makes it: names are text in a column that says integer. */
const schema = `CREATE TABLE IF NOT EXISTS kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER,
  deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB)`;

/** Triad's configuration file in these tests. */
export const config =
  "cluster-init: true\nservice-cidr: 10.43.0.0/16\ntls-san:\n  - 192.168.1.50\n";

const keys = {
  "/registry/configmaps/default/one": "first",
  "/registry/configmaps/default/two": "older",
  "/registry/configmaps/default/gone": "x",
  "/registry/secrets/default/s": "k8s\0\u0001hunter2'\"\n",
  "/registry/empty": "",
  "/registry/events/default/e": "expires",
  "/registry/masterleases/192.168.1.5": "expires",
  "/bootstrap/abc": "k3s writes it anew",
  compact_rev_key: "7",
};

/**
 * A k3s server on SQLite below a fake root: systemctl runs a double of k3s that copies to a double of etcd when its
 * configuration has cluster-init, and refuses what systemd would. Files steer it:
 *   fails-at-copy   k3s ends when half is copied
 *   hangs-at-copy   k3s never renames state.db
 *   serves-at-once  the API answers as soon as all is copied
 *   never-ready     the API is not ready while etcd is there
 *   tamper.json     entries that etcd has instead of the copied ones
 */
export class ConversionBench {
  readonly root = new FakeRoot();

  constructor() {
    const { root } = this;
    mkdirSync(root.at(database), { recursive: true, mode: 0o700 });
    root.write(
      "etc/systemd/system/k3s.service",
      "[Service]\nExecStart=/usr/local/bin/k3s server\n",
    );
    root.write("unit", "active\n");
    root.command("dpkg-query", "echo 'install ok installed'");
    root.command("df", `echo Avail; cat "$TRIAD_ROOT/free-kib" 2>/dev/null || echo 99999999`);
    root.recorded("journalctl", `cat "$TRIAD_ROOT/journal" 2>/dev/null || true`);
    root.command("curl", `while [[ $1 != --data ]]; do shift; done; exec ${double} range "$2"`);
    root.recorded("systemctl", systemctl);
    root.command("k3s", k3s);
  }

  /** Four keys that are compared, and what is not: an older row, a deleted key, what ends or is written anew by itself. */
  fill(): void {
    this.put(keys);
    this.put({
      "/registry/configmaps/default/two": "newer",
      "/registry/configmaps/default/gone": null,
    });
  }

  /** Writes keys into SQLite, a row each; null deletes. */
  put(keys: Readonly<Record<string, string | Buffer | null>>): void {
    const kine = new DatabaseSync(this.root.at(`${database}/state.db`));
    kine.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN");
    kine.exec(schema);
    const insert = kine.prepare(
      "INSERT INTO kine (name, created, deleted, value) VALUES (?, 1, ?, ?)",
    );
    for (const [name, value] of Object.entries(keys)) {
      insert.run(name, value === null ? 1 : 0, Buffer.from(value ?? ""));
    }
    kine.exec("COMMIT");
    kine.close();
  }

  /** What etcd is to show instead of, or besides, what was copied. */
  tamper(
    key: string,
    {
      value = "",
      version = 1,
      created = 2,
    }: { value?: string; version?: number; created?: number },
  ): void {
    const entry = { key, value: Buffer.from(value).toString("base64"), version, created };
    this.root.write("tamper.json", JSON.stringify([entry]));
  }

  async script(verb: string, variables: Readonly<Record<string, string>> = {}): Promise<Run> {
    return await runScript("k3s-convert.sh", verb, { CONFIG: config, ...variables }, this.root);
  }

  /** The result of a run that must not fail. */
  async succeed(verb: string): Promise<unknown> {
    const run = await this.script(verb);
    assert.equal(run.exitCode, 0, run.stderr);
    return run.result;
  }

  /** As if the computer lost its power and booted again: what lies on tmpfs is gone, units start by themselves. */
  boot(): void {
    execFileSync("rm", ["-rf", this.root.at("run"), this.root.at("copying")]);
    this.root.write("unit", "inactive\n");
    execFileSync(join(this.root.commands, "systemctl"), ["start", "k3s"], {
      env: { PATH: `${this.root.commands}:/usr/bin:/bin`, TRIAD_ROOT: this.root.root },
    });
  }

  has(path: string): boolean {
    return existsSync(this.root.at(path));
  }

  /** Files of the datastore, without SQLite's log. */
  datastore(): string[] {
    return readdirSync(this.root.at(database))
      .filter((name) => !/-(wal|shm)$/.test(name))
      .sort();
  }

  phase(): string {
    const file = "var/lib/triad/conversion/phase";
    return this.has(file) ? this.root.read(file).trim() : "none";
  }

  /** What the double of k3s served from, a word for each start. */
  served(): string[] {
    return this.has("served") ? this.root.read("served").trim().split("\n") : [];
  }

  /** Starts and stops of k3s. */
  restarts(): string[] {
    return this.root.calls("systemctl").filter((call) => /^(start|stop)/.test(call));
  }
}

/** k3s kubectl … get --raw /readyz */
const k3s = `
[[ $(cat "$TRIAD_ROOT/unit") == active && ! -e $TRIAD_ROOT/copying ]] || { echo "connection refused"; exit 1; }
[[ ! -e $TRIAD_ROOT/never-ready || ! -e $TRIAD_ROOT/${database}/etcd ]] || { echo "not ready"; exit 1; }
echo ok
`;

const systemctl = `
unit=$TRIAD_ROOT/unit run=$TRIAD_ROOT/k3s-process own=$$
db=$TRIAD_ROOT/${database} config=$TRIAD_ROOT/etc/rancher/k3s/config.yaml.d/50-triad.yaml
dropins() { cat "$TRIAD_ROOT"/{etc,run}/systemd/system/k3s.service.d/*.conf 2>/dev/null; }
serve() {
  [[ $(cat "$run") == "$own" ]] || exit 0
  rm -f "$TRIAD_ROOT/copying"; echo "$1" >>"$TRIAD_ROOT/served"; echo active >"$unit"
}
# The API takes longer than the first look at etcd, as in life; but it comes in any case.
await_reader() {
  for _ in {1..100}; do
    [[ ! -e $TRIAD_ROOT/var/lib/triad/conversion/work/page.json ]] || return 0
    [[ $(cat "$run") == "$own" ]] || return 0
    sleep 0.1
  done
}
run_k3s() {
  if [[ -d $db/etcd/member/wal ]]; then serve etcd; return; fi
  if ! grep -qs '^cluster-init: true' "$config"; then serve sqlite; return; fi
  touch "$TRIAD_ROOT/copying"
  if [[ -e $TRIAD_ROOT/fails-at-copy ]]; then
    ${double} copy half; echo failed >"$unit"; rm "$TRIAD_ROOT/copying"
  elif [[ -e $TRIAD_ROOT/hangs-at-copy ]]; then ${double} copy half
  else
    [[ ! -e $TRIAD_ROOT/serves-at-once ]] || serve etcd
    ${double} copy whole
    [[ -e $TRIAD_ROOT/serves-at-once ]] || { await_reader; serve etcd; }
  fi
}
case "$*" in
  "is-active k3s.service") cat "$unit"; [[ $(cat "$unit") == active ]] ;;
  "daemon-reload") dropins >"$TRIAD_ROOT/loaded" || true ;;
  "show k3s.service -P ExecStartPre") sed -n 's/^ExecStartPre=//p' "$TRIAD_ROOT/loaded" ;;
  "show k3s.service -P Restart") sed -n 's/^Restart=//p' "$TRIAD_ROOT/loaded" ;;
  "reset-failed k3s") ;;
  "stop k3s.service") echo inactive >"$unit"; echo none >"$run"; rm -f "$TRIAD_ROOT/copying" ;;
  "start --no-block k3s" | "start k3s")
    echo activating >"$unit"; echo "$own" >"$run"
    guard=$(dropins | sed -n 's/^ExecStartPre=//p')
    if [[ -n $guard ]] && ! "$guard" 2>>"$TRIAD_ROOT/guard-said"; then echo failed >"$unit"; exit 0; fi
    if [[ $2 == --no-block ]]; then run_k3s </dev/null >/dev/null 2>&1 3>&- 9>&- & else run_k3s; fi ;;
  *) echo "this systemctl knows no $*" >&2; exit 64 ;;
esac`;
