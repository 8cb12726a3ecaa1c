import assert from "node:assert/strict";
import { agentUnit, K3sBench, version } from "./support/k3sBench.ts";

describe("scripts/k3s-leave.sh", function () {
  this.timeout(30_000);
  this.slow(4000);

  let bench: K3sBench;
  beforeEach(() => {
    bench = new K3sBench();
  });
  afterEach(() => {
    bench.stop();
  });

  const join = async (): Promise<void> => {
    const variables = { CONFIG: "server: x\n", TOKEN: "t", VERSION: version, AUDIT_POLICY: "" };
    await bench.succeed("k3s-join.sh", "ensure", variables);
    bench.root.write("var/lib/rancher/k3s/server/db/etcd/name", "shuttle-1a2b3c4d");
    bench.root.write("var/lib/rancher/k3s/server/token", "t");
    bench.forgetCalls();
  };
  const members = (...learners: boolean[]): object => ({
    members: learners.map((isLearner, index) => ({
      ID: String(index),
      ...(isLearner ? { isLearner } : {}),
    })),
  });

  it("of three voters ends k3s, which does not start again, not even at a boot", async () => {
    await join();
    bench.gateway("list", members(false, false, false, true));
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "retire"), { changed: true });
    assert.ok(!bench.runs("k3s"));
    assert.match(
      bench.root.read("etc/systemd/system/k3s.service.d/90-triad-leaving.conf"),
      /^ConditionPathExists=!\/var\/lib\/triad\/leaving$[^]*^Restart=no$/m,
    );
    assert.ok(bench.has("var/lib/triad/leaving"));
  });

  it("of two voters keeps k3s until its member is removed: the other one could not remove it alone", async () => {
    await join();
    bench.gateway("list", members(false, false, true));
    await bench.succeed("k3s-leave.sh", "retire");
    assert.ok(bench.runs("k3s"));
    assert.ok(bench.has("var/lib/triad/leaving"));
    assert.deepEqual(bench.did("stop"), []);
  });

  it("takes it back where the server stays after all, or joins again", async () => {
    await join();
    await bench.succeed("k3s-leave.sh", "retire");
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "stay"), { changed: true });
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "stay"), { changed: false });
    await bench.succeed("k3s-leave.sh", "retire");
    await join();
    assert.ok(bench.runs("k3s") && !bench.has("var/lib/triad/leaving"));
  });

  it("ends a k3s whose etcd does not answer", async () => {
    await join();
    await bench.succeed("k3s-leave.sh", "retire");
    assert.ok(!bench.runs("k3s"));
  });

  it("makes an agent of what was one, with its containers and data", async () => {
    bench.installAgent();
    await join();
    await bench.succeed("k3s-leave.sh", "retire");
    const answer = await bench.succeed("k3s-leave.sh", "ensure");
    assert.deepEqual(answer, { changed: true, worker: true });
    assert.ok(bench.runs("k3s-agent") && bench.isEnabled("k3s-agent") && !bench.isEnabled("k3s"));
    assert.equal(bench.root.read("etc/systemd/system/k3s-agent.service"), agentUnit);
    assert.ok(bench.has("usr/local/bin/k3s-agent-uninstall.sh"));
    assert.equal(bench.root.read("var/lib/rancher/k3s/storage/pvc-1/marker"), "data\n");
    assert.deepEqual([bench.root.calls("umount"), bench.root.calls("ip")], [[], []]);
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "ensure"), {
      changed: false,
      worker: true,
    });
    // It may become a server again.
    await join();
    assert.ok(bench.runs("k3s"));
  });

  it("cleans any other machine of what joining brought, and keeps a cold copy and its volumes", async () => {
    await join();
    bench.root.write("var/lib/rancher/k3s/agent/kubelet.kubeconfig", "");
    bench.root.write("var/lib/rancher/k3s/agent/images/a.tar", "");
    bench.root.write("var/lib/rancher/k3s/storage/pvc-1/marker", "data\n");
    bench.root.write("etc/rancher/node/password", "p");
    const answer = await bench.succeed("k3s-leave.sh", "ensure");
    assert.deepEqual(answer, { changed: true, worker: false });
    const kept = bench.only("var/lib/triad/left");
    assert.equal(bench.root.read(`${kept}/server/db/etcd/name`), "shuttle-1a2b3c4d");
    assert.equal(bench.root.read(`${kept}/server/token`), "t");
    assert.equal(bench.root.read(`${kept}/etc/config.yaml.d/50-triad.yaml`), "server: x\n");
    for (const path of [
      "etc/systemd/system/k3s.service",
      "etc/systemd/system/k3s.service.env",
      "etc/rancher/k3s/config.yaml.d/50-triad.yaml",
      "var/lib/rancher/k3s/server",
      "var/lib/rancher/k3s/agent/kubelet.kubeconfig",
      "var/lib/triad/joined",
      "var/lib/triad/leaving",
    ]) {
      assert.ok(!bench.has(path), path);
    }
    for (const path of ["agent/images/a.tar", "storage/pvc-1/marker"]) {
      assert.ok(bench.has(`var/lib/rancher/k3s/${path}`), path);
    }
    assert.ok(bench.has("etc/rancher/node/password"));
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "ensure"), {
      changed: false,
      worker: false,
    });
  });

  it("leaves what it cannot unmount, and what lies below", async () => {
    await join();
    const mount = "/var/lib/kubelet/pods/1/volumes/nfs";
    bench.root.write(
      "proc/self/mounts",
      `tmpfs /run/k3s/x tmpfs rw 0 0\nnas:/v ${mount} nfs rw 0 0\n`,
    );
    bench.root.write("var/lib/kubelet/pods/1/volumes/nfs/file", "precious");
    bench.root.recorded("umount", "exit 1");
    const run = await bench.script("k3s-leave.sh", "ensure");
    assert.equal(run.exitCode, 0, run.stderr);
    assert.match(run.stderr, /could not unmount \/var\/lib\/kubelet\/pods\/1\/volumes\/nfs/);
    assert.deepEqual(bench.root.calls("umount"), [mount, "/run/k3s/x"]);
    assert.equal(bench.root.read("var/lib/kubelet/pods/1/volumes/nfs/file"), "precious");
  });
});
