import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, statSync, symlinkSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import { FakeRoot } from "./support/fakeRoot.ts";
import { type Run, runScript } from "./support/runScript.ts";

const server = "var/lib/rancher/k3s/server";
const answer = z.object({
  path: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  datastore: z.string(),
});

describe("scripts/k3s-backup.sh", function () {
  this.timeout(20_000);
  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
    root.command("dpkg-query", "echo 'install ok installed'");
    root.write(`${server}/token`, "K10abc::server:hunter2\n");
    root.write(`${server}/tls/server-ca.key`, "key\n");
    root.write(`${server}/cred/passwd`, "x\n");
    root.write("etc/rancher/k3s/config.yaml.d/50-triad.yaml", "cluster-init: true\n");
    root.write("etc/rancher/node/password", "y\n");
    root.write("etc/systemd/system/k3s.service", "[Service]\n");
    root.write("etc/systemd/system/k3s.service.env", "K3S_TOKEN=hunter2\n");
  });
  afterEach(() => {
    root.remove();
  });

  async function backUp(): Promise<Run> {
    const variables = { LABEL: "homelab-1", NODE_ADDRESS: "192.168.1.5" };
    return await runScript("k3s-backup.sh", "ensure", variables, root);
  }

  /** What the archive holds, by path; its content lies in `unpacked/`. */
  async function unpacked(run: Run): Promise<string[]> {
    const { path, bytes, sha256 } = answer.parse(run.result);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(path).size, bytes);
    assert.equal(execFileSync("sha256sum", [path], { encoding: "utf8" }).split(" ")[0], sha256);
    mkdirSync(root.at("unpacked"));
    execFileSync("tar", ["-C", root.at("unpacked"), "-xzf", path]);
    return execFileSync("find", [root.at("unpacked"), "-type", "f", "-printf", "%P\\n"], {
      encoding: "utf8",
    })
      .trim()
      .split("\n")
      .sort();
  }

  const files = [
    "files/etc/rancher/k3s/config.yaml.d/50-triad.yaml",
    "files/etc/rancher/node/password",
    "files/etc/systemd/system/k3s.service",
    "files/etc/systemd/system/k3s.service.env",
    `files/${server}/cred/passwd`,
    `files/${server}/tls/server-ca.key`,
    `files/${server}/token`,
  ];

  it("takes SQLite while it is written to, with what is only in its log", async () => {
    mkdirSync(root.at(`${server}/db`));
    const kine = new DatabaseSync(root.at(`${server}/db/state.db`));
    kine.exec("PRAGMA journal_mode = WAL; CREATE TABLE kine (name TEXT)");
    kine.exec(
      "INSERT INTO kine VALUES ('committed'); BEGIN IMMEDIATE; INSERT INTO kine VALUES ('not yet')",
    );
    const run = await backUp();
    kine.exec("COMMIT");
    kine.close();
    assert.equal(run.exitCode, 0, run.stderr);
    assert.deepEqual(await unpacked(run), [...files, "state.db"]);
    const copy = new DatabaseSync(root.at("unpacked/state.db"));
    assert.deepEqual(
      copy
        .prepare("SELECT name FROM kine")
        .all()
        .map((row) => row["name"]),
      ["committed"],
    );
    copy.close();
  });

  it("takes a snapshot of etcd, by k3s itself, into a directory of its own", async () => {
    mkdirSync(root.at(`${server}/db/etcd/member/wal`), { recursive: true });
    root.recorded(
      "k3s",
      `while [[ $1 != --dir ]]; do shift; done; echo snapshot >"$2/triad-thinkpad-1700000000"`,
    );
    const run = await backUp();
    assert.equal(run.exitCode, 0, run.stderr);
    assert.deepEqual(await unpacked(run), [...files, "snapshot/triad-thinkpad-1700000000"]);
    assert.match(
      root.calls("k3s")[0] ?? "",
      /^etcd-snapshot save --name triad --dir \S*\.homelab-1\/snapshot$/,
    );
  });

  it("fails where k3s gave no snapshot, says why without the token, and leaves nothing half", async () => {
    mkdirSync(root.at(`${server}/db/etcd/member/wal`), { recursive: true });
    root.command(
      "k3s",
      `echo "level=fatal msg=\\"no space: K10${"a".repeat(64)}::server:hunter2\\"" >&2; exit 1`,
    );
    const { exitCode, stderr } = await backUp();
    assert.equal(exitCode, 1);
    assert.match(stderr, /k3s gave no snapshot: level=fatal msg="no space: \(token\)/);
    assert.doesNotMatch(stderr, /hunter2/);
    assert.deepEqual(
      execFileSync("ls", ["-A", root.at("var/lib/triad/backups")], { encoding: "utf8" }),
      "",
    );
  });

  it("refuses a server whose datastore it does not know", async () => {
    const { exitCode, stderr } = await backUp();
    assert.equal(exitCode, 1);
    assert.match(stderr, /neither SQLite nor etcd/);
  });

  it("refuses a SQLite that is damaged", async () => {
    root.write(
      `${server}/db/state.db`,
      "no database at all, but long enough to be taken for one".repeat(100),
    );
    const { exitCode, stderr } = await backUp();
    assert.equal(exitCode, 1);
    assert.match(stderr, /SQLite gave no sound copy: .*not a database/);
  });
});

describe("scripts/k3s-snapshots.sh", () => {
  it("finds the newest scheduled snapshot, and what is needed to judge it", async () => {
    const root = new FakeRoot();
    const directory = "var/lib/triad/snapshots";
    root.write(`${directory}/etcd-snapshot-thinkpad-1700000000.zip`, "x");
    root.write(`${directory}/etcd-snapshot-thinkpad-1700086400`, "x");
    root.write(`${directory}/etcd-snapshot-thinkpad-1700172800.zip`, "");
    root.write(`${directory}/on-demand-thinkpad-1900000000`, "x");
    root.write(`${server}/db/etcd/name`, "thinkpad-1234abcd");
    mkdirSync(root.at("etc"), { recursive: true });
    symlinkSync("/usr/share/zoneinfo/Europe/Berlin", root.at("etc/localtime"));
    const variables = { SNAPSHOT_DIRECTORY: `/${directory}`, SNAPSHOT_NAME: "etcd-snapshot" };
    const { result, stderr } = await runScript("k3s-snapshots.sh", "check", variables, root);
    const etcdSince = Math.floor(statSync(root.at(`${server}/db/etcd/name`)).mtimeMs / 1000);
    const { now, ...rest } = z.looseObject({ now: z.number() }).parse(result);
    assert.deepEqual(
      rest,
      {
        directory: `/${directory}`,
        count: 2,
        newest: "etcd-snapshot-thinkpad-1700086400",
        newestAt: 1_700_086_400,
        etcdSince,
        timeZone: "Europe/Berlin",
      },
      stderr,
    );
    assert.ok(Math.abs(now - Date.now() / 1000) < 30);
    root.remove();
  });

  it("says that there are none", async () => {
    const root = new FakeRoot();
    const variables = { SNAPSHOT_DIRECTORY: "/nowhere", SNAPSHOT_NAME: "etcd-snapshot" };
    const { result } = await runScript("k3s-snapshots.sh", "check", variables, root);
    const { now: _now, ...rest } = z.looseObject({ now: z.number() }).parse(result);
    assert.deepEqual(rest, {
      directory: "/nowhere",
      count: 0,
      newest: null,
      newestAt: null,
      etcdSince: null,
      timeZone: "UTC",
    });
    root.remove();
  });
});
