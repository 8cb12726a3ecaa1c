import assert from "node:assert/strict";
import { rmSync } from "node:fs";
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
    assert.ok(!bench.runs("k3s"));
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "stay"), { changed: true });
    assert.ok(bench.runs("k3s"));
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "stay"), { changed: false });
    await bench.succeed("k3s-leave.sh", "retire");
    await join();
    assert.ok(bench.runs("k3s") && !bench.has("var/lib/triad/leaving"));
  });

  it("takes an etcd that answers late for none only after asking again", async () => {
    await join();
    bench.gateway("list", members(false, false));
    bench.root.write("state/gateway/late", "");
    await bench.succeed("k3s-leave.sh", "retire");
    assert.ok(bench.runs("k3s"));
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

  it("takes Kubernetes' rules out of the network, and nobody else's", async () => {
    await join();
    const rules = "*nat\n-A OUTPUT -j KUBE-SERVICES\n-A OUTPUT -j MINE\nCOMMIT\n";
    bench.root.write("state/rules-iptables", rules);
    bench.root.write("state/rules-ip6tables", "*nat\n-A OUTPUT -j MINE\nCOMMIT\n");
    await bench.succeed("k3s-leave.sh", "ensure");
    assert.equal(bench.root.read("state/rules-iptables"), "*nat\n-A OUTPUT -j MINE\nCOMMIT\n");
    assert.deepEqual(bench.root.calls("ip6tables-restore"), []);
  });

  it("refuses the only server, and one on which etcd still counts; wiping takes both", async () => {
    await join();
    const refused = async (verb: string, why: RegExp): Promise<void> => {
      const run = await bench.script("k3s-leave.sh", verb, { MEMBER_SECONDS: "0" });
      assert.equal(run.exitCode, 1);
      assert.match(run.stderr, why);
      assert.ok(bench.runs("k3s") && !bench.has("var/lib/triad/leaving"));
    };
    bench.gateway("list", { header: { member_id: "7" }, members: [{ ID: "7" }] });
    await refused("retire", /only server of its cluster/);
    await refused("ensure", /still a member of etcd: it answers for the member 7/);
    bench.root.write("var/lib/rancher/k3s/server/db/state.db", "rows");
    rmSync(bench.root.at("var/lib/triad/joined"));
    await refused("retire", /only server of its cluster/);
    await refused("ensure", /keeps its cluster's data in SQLite/);
    const cleaned = { changed: true, worker: false };
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "wipe"), cleaned);
    const kept = bench.only("var/lib/triad/left");
    assert.equal(bench.root.read(`${kept}/server/db/state.db`), "rows");
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "wipe"), { ...cleaned, changed: false });
  });

  it("wipes a server that was an agent: there is no cluster for it any more", async () => {
    bench.installAgent();
    await join();
    bench.root.write("var/lib/triad/client-before-endpoint/path", "");
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "wipe"), { changed: true, worker: false });
    assert.ok(!bench.runs("k3s-agent") && !bench.has("etc/systemd/system/k3s-agent.service"));
    for (const path of ["etc/rancher/k3s/config.yaml.d", "var/lib/triad/client-before-endpoint"])
      assert.ok(!bench.has(path), path);
    bench.stop();
    bench = new K3sBench();
    bench.installAgent();
    await join();
    const answer = await bench.succeed("k3s-leave.sh", "ensure", { BECOMES: "cleaned" });
    assert.deepEqual(answer, { changed: true, worker: false });
    assert.ok(!bench.has("etc/systemd/system/k3s-agent.service"));
    const kept = bench.only("var/lib/triad/left");
    assert.equal(bench.root.read(`${kept}/agent/k3s-agent.service`), agentUnit);
  });

  it("says what the machine is, on every step of the way", async () => {
    const check = async (): Promise<unknown> => await bench.succeed("k3s-leave.sh", "check");
    const cleaned = { server: false, retired: false, worker: false };
    assert.deepEqual(await check(), cleaned);
    await join();
    assert.deepEqual(await check(), { ...cleaned, server: true });
    await bench.succeed("k3s-leave.sh", "retire");
    assert.deepEqual(await check(), { ...cleaned, server: true, retired: true });
    bench.root.write("var/lib/triad/leaving", "worker 20260101T000000\n");
    assert.deepEqual(await check(), { server: true, retired: true, worker: true });
    bench.root.write("var/lib/triad/leaving", "cleaned 20260101T000000\n");
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "stay"), { changed: false });
    await bench.succeed("k3s-leave.sh", "ensure");
    assert.deepEqual(await check(), cleaned);
    assert.deepEqual(await bench.succeed("k3s-leave.sh", "retire"), { changed: false });
    bench.installAgent();
    assert.deepEqual(await check(), { ...cleaned, worker: true });
    await join();
    assert.deepEqual(await check(), { ...cleaned, server: true, worker: true });
  });

  it("takes the marks of a conversion with it, which a later life would trip over", async () => {
    await join();
    bench.root.write("var/lib/triad/conversion/phase", "done\n");
    bench.root.write("var/lib/triad/conversion/cold/state.db", "rows");
    for (const name of ["55-triad-return", "60-triad-conversion", "95-triad-recovery"]) {
      bench.root.write(`etc/systemd/system/k3s.service.d/${name}.conf`, "[Service]\n");
    }
    bench.root.write("usr/local/lib/triad/k3s-return-guard", "");
    await bench.succeed("k3s-leave.sh", "ensure");
    assert.ok(
      !bench.has("var/lib/triad/conversion") && !bench.has("etc/systemd/system/k3s.service.d"),
    );
    const kept = bench.only("var/lib/triad/left");
    assert.equal(bench.root.read(`${kept}/triad-conversion/cold/state.db`), "rows");
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
    assert.deepEqual(bench.root.calls("umount"), [
      ...["/run/k3s/x", "--lazy /run/k3s/x"],
      ...[mount, `--lazy ${mount}`],
    ]);
    assert.equal(bench.root.read("var/lib/kubelet/pods/1/volumes/nfs/file"), "precious");
  });
});
