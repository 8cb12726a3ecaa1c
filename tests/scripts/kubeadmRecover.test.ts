import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { cutAt } from "./support/cutAt.ts";
import { field } from "./support/field.ts";
import { KubeadmRecoveryBench } from "./support/kubeadmRecoveryBench.ts";

const all = [
  "etcd.yaml",
  "kube-apiserver.yaml",
  "kube-controller-manager.yaml",
  "kube-scheduler.yaml",
];

describe("scripts/kubeadm-recover.sh", function () {
  this.timeout(60_000);
  this.slow(4000);
  let bench: KubeadmRecoveryBench;
  beforeEach(() => {
    bench = new KubeadmRecoveryBench();
  });
  afterEach(() => {
    bench.remove();
  });

  it("goes on alone from the server's own data, and serves only what is whole", async () => {
    const before = bench.root.read("etc/kubernetes/manifests/etcd.yaml");
    const state = await bench.succeed("ensure");
    assert.equal(field(state, "phase"), "serving");
    assert.equal(field(state, "bumped"), false);
    assert.deepEqual(bench.served(), ["of one"]);
    assert.equal(bench.kept(), "of three");
    assert.deepEqual(bench.manifests(), all);
    assert.equal(bench.root.read("etc/kubernetes/manifests/etcd.yaml"), before);
  });

  it("run again changes and restarts nothing; finish leaves the copy alone", async () => {
    await bench.succeed("ensure");
    assert.equal(field(await bench.succeed("ensure"), "changed"), false);
    await bench.succeed("finish");
    assert.equal(await bench.phase(), "none");
    assert.equal(bench.kept(), "of three");
  });

  it("restores the snapshot of a backup with revisions that nobody has seen, as a cluster of another token", async () => {
    bench.root.write("work/etcd-snapshot.db", "as it was");
    execFileSync("tar", ["-C", bench.root.at("work"), "-czf", bench.root.at("backup.tar.gz"), "."]);
    const state = await bench.succeed("ensure", { SNAPSHOT: "/backup.tar.gz" });
    assert.equal(field(state, "bumped"), true);
    assert.deepEqual(bench.served(), ["as it was"]);
    assert.equal(bench.kept(), "of three");
    assert.match(
      bench.root.calls("etcdutl").at(-1) ?? "",
      /--name two --initial-advertise-peer-urls https:\/\/10\.0\.20\.101:2380 --initial-cluster two=https:\/\/10\.0\.20\.101:2380 --initial-cluster-token recovered-\d+ .*--bump-revision 1000000000 --mark-compacted$/,
    );
    assert.match(bench.root.calls("ctr").at(-1) ?? "", /images unmount --rm/);
  });

  it("says where etcdutl cannot move revisions, so that watchers are restarted", async () => {
    bench.root.write("old-etcd", "");
    bench.root.write("one.db", "as it was");
    assert.equal(field(await bench.succeed("ensure", { SNAPSHOT: "/one.db" }), "bumped"), false);
  });

  it("stays stopped when the snapshot is bad, and goes on from own data then", async () => {
    bench.root.write("bad-snapshot", "");
    bench.root.write("one.db", "as it was");
    const { exitCode, stderr } = await bench.script("ensure", { SNAPSHOT: "/one.db" });
    assert.equal(exitCode, 1);
    assert.match(stderr, /expected sha256[^]*no SNAPSHOT/);
    bench.boot();
    assert.deepEqual(bench.served(), []);
    await bench.succeed("ensure");
    assert.deepEqual(bench.served(), ["of one"]);
  });

  it("names what is missing where neither image nor machine has etcdutl", async () => {
    bench.root.write("no-image", "");
    bench.root.write("one.db", "as it was");
    const { stderr } = await bench.script("ensure", { SNAPSHOT: "/one.db" });
    assert.match(stderr, /no etcdutl in registry\.k8s\.io\/etcd:3\.6\.5-0 \(image not found\)/);
  });

  it("refuses before it touches anything", async () => {
    bench.root.write("free-kib", "1024\n");
    assert.match((await bench.script("ensure")).stderr, /1 MiB free/);
    rmSync(bench.root.at("free-kib"));
    rmSync(bench.root.at("var/lib/etcd/member"), { recursive: true });
    assert.match((await bench.script("ensure")).stderr, /no data of its own/);
    rmSync(bench.root.at("etc/kubernetes/manifests/etcd.yaml"));
    assert.match((await bench.script("ensure")).stderr, /lacks etcd\.yaml/);
    assert.equal(await bench.phase(), "none");
  });

  it("another server's control plane is kept from starting, at a boot too", async () => {
    await bench.succeed("fence");
    bench.boot();
    assert.deepEqual(bench.manifests(), []);
    assert.equal(bench.data(), "of three");
    assert.deepEqual(await bench.succeed("fence"), { changed: false });
  });

  it("a worker's kubelet starts anew once", async () => {
    const since = (day: string): string => String(Date.parse(`${day}T00:00:00Z`) / 1000);
    const rouse = async (day: string): Promise<unknown> =>
      await bench.succeed("rouse", { STARTED_AFTER: since(day) });
    assert.deepEqual(await rouse("2025-12-31"), { changed: false });
    assert.deepEqual(await rouse("2026-01-02"), { changed: true });
  });

  describe("after a power cut", () => {
    const cut = async (condition: string, SNAPSHOT: string): Promise<void> =>
      await cutAt(
        "kubeadm-recover.sh",
        { SNAPSHOT, NODE_ADDRESS: "10.0.20.101" },
        condition,
        bench.root,
      );

    const moments: [string, string][] = [
      ["when one manifest is aside", 'rm -f "$MANIFESTS/$name.yaml"'],
      ["before the copy", 'copy_whole "$(kept)/etcd" "$DATA/member"'],
      ["before the copy counts", "write_phase copied"],
      ["before etcd starts", 'put_manifest etcd <<< "$1"'],
      ["when etcd's data are gone", 'mv -T "$DATA/.triad-restored/member" "$DATA/member"'],
      ["when etcd was forced", "await_settled"],
      ["before it is noted as proven", "proven"],
      ["before the API server starts", "serve"],
      ["before kubelet starts it", 'wait_for 300 "the API to be ready" api_ready'],
    ];
    for (const [moment, command] of moments) {
      for (const SNAPSHOT of ["", "/one.db"]) {
        if (command.includes(".triad-restored") && SNAPSHOT === "") continue;
        it(`${moment}, ${SNAPSHOT === "" ? "from own data" : "from a snapshot"}: nothing half is served, and the next run completes`, async () => {
          bench.root.write("one.db", "as it was");
          await cut(`[[ $BASH_COMMAND == '${command}' ]]`, SNAPSHOT);
          const result = SNAPSHOT === "" ? "of one" : "as it was";
          bench.boot();
          assert.ok(bench.served().every((one) => one === result));
          await bench.succeed("ensure", { SNAPSHOT });
          assert.equal(bench.served().at(-1), result);
          assert.equal(bench.kept(), "of three");
          assert.deepEqual(bench.manifests(), all);
        });
      }
    }
  });
});
