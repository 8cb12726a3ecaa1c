import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { field } from "./support/field.ts";
import { RecoveryBench } from "./support/recoveryBench.ts";

const script = "k3s-recover.sh";
const keepOut = "etc/systemd/system/k3s.service.d/95-triad-recovery.conf";

describe("scripts/k3s-recover.sh", function () {
  this.timeout(60_000);
  this.slow(4000);
  let bench: RecoveryBench;
  beforeEach(() => {
    bench = new RecoveryBench();
  });
  afterEach(() => {
    bench.stop();
  });

  const ensure = async (SNAPSHOT = ""): Promise<unknown> =>
    await bench.succeed(script, "ensure", { SNAPSHOT });

  it("goes on alone from the server's own data, which are kept as they were", async () => {
    const state = await ensure();
    assert.equal(field(state, "phase"), "serving");
    assert.equal(field(state, "source"), "own data");
    assert.equal(field(state, "bumped"), false);
    assert.deepEqual(bench.served(), ["of one"]);
    const [kept = ""] = bench.kept();
    assert.equal(bench.root.read(`${kept}/server/etcd/member/wal/0.wal`), "of three");
    assert.equal(bench.root.read(`${kept}/server/token`), "K10abc::server:secret\n");
    assert.match(bench.root.read(`${kept}/etc/k3s/config.yaml.d/50-triad.yaml`), /^server:/m);
    assert.equal(bench.config(), '# Written by Triad.\nnode-name: "shuttle"\n');
    assert.ok(!bench.has(keepOut));
    const [call = ""] = bench.root.calls("systemd-run");
    assert.match(
      call,
      /EnvironmentFile=-\/etc\/systemd\/system\/k3s\.service\.env.* \/usr\/local\/bin\/k3s server --flannel-backend=host-gw --cluster-reset$/,
    );
  });

  it("run again changes and restarts nothing, and finish leaves the copy alone", async () => {
    await ensure();
    bench.forgetCalls();
    assert.equal(field(await ensure(), "changed"), false);
    assert.deepEqual(bench.did("start", "stop", "restart"), []);
    await bench.succeed(script, "finish");
    assert.equal(bench.phase(), "none");
    assert.equal(bench.kept().length, 1);
    await bench.succeed(script, "finish");
  });

  it("goes on from a snapshot, or from the one in a backup of Triad's", async () => {
    bench.snapshot("backups/one", "as it was");
    const state = await ensure("/backups/one");
    const sum = createHash("sha256").update("as it was").digest("hex");
    assert.equal(field(state, "source"), `snapshot ${sum}`);
    assert.deepEqual(bench.served(), ["as it was"]);
    await bench.succeed(script, "finish");

    bench.snapshot("backups/unpacked/snapshot/triad-shuttle-1700000000.zip", "PK in a backup");
    bench.root.write("backups/unpacked/files/etc/rancher/k3s/config.yaml", "x");
    execFileSync("tar", [
      "-C",
      bench.root.at("backups/unpacked"),
      "-czf",
      bench.root.at("backups/b.tar.gz"),
      ".",
    ]);
    bench.root.write("state/not-ready", "");
    await ensure("/backups/b.tar.gz");
    assert.deepEqual(bench.served(), ["as it was", "PK in a backup"]);
    assert.ok(bench.has("unzipped"));
  });

  it("is told nothing of S3 unless its configuration speaks of it", async () => {
    bench.root.write("etc/rancher/k3s/config.yaml", "etcd-s3: true\n");
    bench.snapshot("backups/one", "x");
    await ensure("/backups/one");
    assert.match(bench.root.calls("systemd-run")[0] ?? "", /--etcd-s3=false$/);
  });

  it("stays stopped when k3s cannot reset, also at a boot, and goes on from a snapshot then", async () => {
    bench.root.write("reset-fails", "");
    const { exitCode, stderr } = await bench.script(script, "ensure", { SNAPSHOT: "" });
    assert.equal(exitCode, 1);
    assert.match(stderr, /it said last: .*token: \(hidden\) wrong[^]*SNAPSHOT=<path>/);
    assert.equal(bench.phase(), "copied");
    bench.boot();
    assert.deepEqual(bench.served(), []);
    rmSync(bench.root.at("reset-fails"));
    bench.snapshot("backups/one", "as it was");
    await ensure("/backups/one");
    assert.deepEqual(bench.served(), ["as it was"]);
    const [kept = ""] = bench.kept();
    assert.equal(bench.root.read(`${kept}/server/etcd/member/wal/0.wal`), "of three");
  });

  it("tries again from the copy, not from what a failed attempt left", async () => {
    bench.root.write("reset-fails", "");
    await bench.script(script, "ensure", { SNAPSHOT: "" });
    assert.equal(bench.data(), "half\n");
    rmSync(bench.root.at("reset-fails"));
    bench.root.command("cp", 'exec /usr/bin/cp "$@"');
    await ensure();
    assert.deepEqual(bench.served(), ["of one"]);
    assert.equal(bench.kept().length, 1);
  });

  it("once it serves, is not thrown back by another snapshot while it has a quorum", async () => {
    await ensure();
    bench.gateway("list", { members: [{ ID: "1" }] });
    bench.snapshot("backups/one", "as it was");
    const { exitCode, stderr } = await bench.script(script, "ensure", { SNAPSHOT: "/backups/one" });
    assert.equal(exitCode, 1);
    assert.match(stderr, /has been recovered from own data and serves since/);
    assert.deepEqual(bench.served(), ["of one"]);
  });

  const refusals: [string, () => void, string, RegExp][] = [
    [
      "SQLite",
      () => bench.root.write("var/lib/rancher/k3s/server/db/state.db", "x"),
      "",
      /keeps its data in SQLite/,
    ],
    [
      "no data",
      () => rmSync(bench.root.at("var/lib/rancher/k3s/server/db/etcd"), { recursive: true }),
      "",
      /no whole etcd in/,
    ],
    [
      "data without a log",
      () => rmSync(bench.root.at("var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal")),
      "",
      /no whole etcd in/,
    ],
    [
      "a missing snapshot",
      () => undefined,
      "/backups/none",
      /\/backups\/none is not on this machine/,
    ],
    [
      "a server in a person's file",
      () => bench.root.write("etc/rancher/k3s/config.yaml", "server: https://x:6443\n"),
      "",
      /config\.yaml tells k3s which server to join/,
    ],
    [
      "K3S_URL",
      () => bench.root.write("etc/systemd/system/k3s.service.env", "K3S_URL='https://x:6443'\n"),
      "",
      /k3s\.service\.env tells k3s/,
    ],
    ["a full disk", () => bench.root.write("free-kib", "1024\n"), "", /1 MiB free/],
  ];
  for (const [what, arrange, SNAPSHOT, words] of refusals) {
    it(`refuses ${what} before it touches anything`, async () => {
      arrange();
      const { exitCode, stderr } = await bench.script(script, "ensure", { SNAPSHOT });
      assert.equal(exitCode, 1);
      assert.match(stderr, words);
      assert.equal(bench.phase(), "none");
      assert.ok(bench.runs("k3s") && !bench.has(keepOut));
    });
  }

  it("refuses a backup of SQLite, and stays stopped with its data", async () => {
    bench.root.write("backups/unpacked/state.db", "x");
    execFileSync("tar", [
      "-C",
      bench.root.at("backups/unpacked"),
      "-czf",
      bench.root.at("backups/b.tar.gz"),
      ".",
    ]);
    const { stderr } = await bench.script(script, "ensure", { SNAPSHOT: "/backups/b.tar.gz" });
    assert.match(stderr, /has no snapshot of etcd in it/);
    assert.equal(bench.data(), "of three");
    await ensure();
    assert.deepEqual(bench.served(), ["of one"]);
  });

  it("another server is kept from starting, at a boot too", async () => {
    assert.deepEqual(await bench.succeed(script, "fence"), { changed: true });
    bench.boot();
    assert.ok(!bench.runs("k3s") || bench.served().length === 0);
    assert.match(
      bench.root.read("etc/systemd/system/k3s.service.d/90-triad-leaving.conf"),
      /^ConditionPathExists=!/m,
    );
  });

  it("says which of its peers it reaches", async () => {
    const answer = await bench.succeed(script, "reach", { PEERS: "127.0.0.1:1 127.0.0.1:2" });
    assert.deepEqual(answer, { answering: [] });
  });
});
