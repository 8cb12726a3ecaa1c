import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { KubeadmBench } from "./support/kubeadmBench.ts";

describe("scripts/kubeadm-leave.sh", function () {
  this.timeout(30_000);
  this.slow(4000);

  let bench: KubeadmBench;
  beforeEach(() => {
    bench = new KubeadmBench();
    bench.makeServer();
  });
  afterEach(() => {
    bench.stop();
  });

  const leave = async (verb: string, variables: Record<string, string> = {}): Promise<unknown> =>
    await bench.succeed("kubeadm-leave.sh", verb, variables);
  const cleaned = { changed: true, worker: false };

  it("ends the API alone, and brings it back where the server stays after all", async () => {
    assert.deepEqual(await leave("retire"), { changed: true });
    assert.deepEqual([bench.runs("kube-apiserver"), bench.runs("etcd")], [false, true]);
    assert.deepEqual(await leave("retire"), { changed: false });
    assert.deepEqual(await leave("stay"), { changed: true });
    assert.ok(bench.has("etc/kubernetes/manifests/kube-apiserver.yaml"));
    assert.deepEqual(await leave("stay"), { changed: false });
  });

  it("ends the API where kubelet is down, and an etcd of somebody else never", async () => {
    bench.switchKubeletOff();
    await leave("retire");
    assert.ok(!bench.runs("kube-apiserver"));
    const foreign = bench.startForeign("etcd");
    await leave("ensure", { BECOMES: "worker" });
    assert.ok(!bench.runs("kube-controller-manager") && !bench.runs("kube-scheduler"));
    assert.equal(foreign.exitCode ?? foreign.signalCode, null);
  });

  it("cleans the machine of what joining brought, and keeps a cold copy", async () => {
    await leave("retire");
    assert.deepEqual(await leave("ensure"), cleaned);
    const kept = bench.only("var/lib/triad/left");
    assert.equal(statSync(bench.root.at(kept)).mode & 0o777, 0o700);
    assert.equal(bench.root.read(`${kept}/member/snap/db`), "data\n");
    assert.equal(bench.root.read(`${kept}/kubernetes/pki/ca.key`), "ca.key\n");
    assert.equal(
      bench.root.read(`${kept}/kubernetes/.kube-apiserver.yaml.triad`),
      "kube-apiserver\n",
    );
    assert.equal(bench.root.read(`${kept}/cni/10-flannel.conflist`), "{}\n");
    // What the preparation of the machine brought stays for a later join.
    assert.deepEqual(bench.list("etc/kubernetes"), ["manifests", "pki", "triad"]);
    for (const folder of [
      ...["etc/kubernetes/manifests", "etc/kubernetes/pki", "etc/cni/net.d"],
      ...["var/lib/kubelet", "var/lib/etcd", "var/lib/cni"],
    ]) {
      assert.deepEqual(bench.list(folder), [], folder);
    }
    assert.deepEqual(bench.list("var/lib/triad"), ["left"]);
    assert.equal(bench.root.read("state/rules-iptables"), "*nat\n-A OUTPUT -j MINE\nCOMMIT\n");
    assert.ok(bench.root.calls("ip").includes("link delete cni0"));
    assert.deepEqual(await leave("ensure"), { changed: false, worker: false });
    assert.equal(bench.list("var/lib/triad/left").length, 1);
  });

  it("makes a worker of it: kubelet, its certificates and its pods go on", async () => {
    const variables = { BECOMES: "worker", ENDPOINT: "https://api.home.test:6443" };
    await leave("retire");
    assert.deepEqual(await leave("ensure", variables), { changed: true, worker: true });
    assert.deepEqual(bench.list("etc/kubernetes"), ["kubelet.conf", "manifests", "pki", "triad"]);
    assert.deepEqual(bench.list("etc/kubernetes/pki"), ["ca.crt"]);
    assert.deepEqual(bench.list("etc/kubernetes/manifests"), []);
    assert.equal(
      bench.root.read("etc/kubernetes/kubelet.conf"),
      "    server: https://api.home.test:6443\n",
    );
    assert.ok(bench.has("state/on-kubelet"));
    assert.deepEqual(bench.root.calls("kubeadm"), []);
    for (const path of [
      "var/lib/kubelet/pods/1/volumes/v/file",
      "etc/cni/net.d/10-flannel.conflist",
    ]) {
      assert.ok(bench.has(path), path);
    }
    assert.ok(!bench.has("var/lib/etcd/member") && !bench.has("var/lib/triad/joined"));
    const kept = bench.only("var/lib/triad/left");
    assert.equal(bench.root.read(`${kept}/kubernetes/pki/etcd/ca.key`), "etcd/ca.key\n");
    // Told again, and then without a word of what it is, it stays what it is.
    const done = { changed: false, worker: true };
    assert.deepEqual(await leave("ensure", variables), done);
    assert.deepEqual(await leave("ensure"), done);
  });

  it("goes on with what it was to become, whatever it is told then", async () => {
    bench.root.write("var/lib/triad/leaving", "worker\n20260101T000000\n");
    assert.deepEqual(await leave("ensure"), { changed: true, worker: true });
    assert.ok(bench.has("etc/kubernetes/kubelet.conf"));
    assert.deepEqual(bench.list("var/lib/triad/left"), ["20260101T000000"]);
  });

  it("says what the machine is, on every step of the way", async () => {
    const cleaned = { server: false, retired: false, worker: false };
    assert.deepEqual(await leave("check"), { ...cleaned, server: true });
    await leave("retire");
    assert.deepEqual(await leave("check"), { ...cleaned, server: true, retired: true });
    bench.root.write("var/lib/triad/leaving", "worker\n20260101T000000\n");
    assert.deepEqual(await leave("check"), { server: true, retired: true, worker: true });
    await leave("ensure");
    assert.deepEqual(await leave("check"), { ...cleaned, worker: true });
    assert.deepEqual(await leave("retire"), { changed: false });
  });

  it("does not take back what has begun", async () => {
    await leave("retire");
    bench.root.write("var/lib/triad/leaving", "cleaned\n20260101T000000\n");
    assert.deepEqual(await leave("stay"), { changed: false });
    assert.ok(!bench.has("etc/kubernetes/manifests/kube-apiserver.yaml"));
  });

  it("refuses while etcd still counts on the machine, but for wiping the last server", async () => {
    bench.etcd("7", "5", "7");
    const run = await bench.script("kubeadm-leave.sh", "ensure", { MEMBER_SECONDS: "0" });
    assert.equal(run.exitCode, 1);
    assert.match(run.stderr, /still a member of etcd: it answers for the member 7/);
    assert.ok(bench.runs("kube-apiserver") && !bench.has("var/lib/triad/left"));
    assert.deepEqual(await leave("wipe"), cleaned);
    assert.deepEqual(await leave("wipe"), { changed: false, worker: false });
    assert.equal(bench.root.read(`${bench.only("var/lib/triad/left")}/member/snap/db`), "data\n");
  });

  it("cleans without kubeadm where that fails, and tells it which runtime it is", async () => {
    bench.root.write("state/reset-fails", "");
    bench.root.write(
      "var/lib/kubelet/kubeadm-flags.env",
      'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/crio/crio.sock --x"\n',
    );
    assert.deepEqual(await leave("ensure"), cleaned);
    assert.match(
      bench.root.calls("kubeadm").join(),
      /--cri-socket unix:\/\/\/run\/crio\/crio\.sock/,
    );
    assert.deepEqual(bench.list("var/lib/kubelet"), []);
    assert.ok(!bench.has("etc/kubernetes/kubelet.conf"));
  });

  it("never deletes what is mounted below, and nothing of kubeadm does", async () => {
    const mount = "/var/lib/kubelet/pods/1/volumes/v";
    bench.root.write("proc/self/mounts", `nas:/v ${mount} nfs rw 0 0\n`);
    bench.root.recorded("umount", "exit 1");
    const run = await bench.script("kubeadm-leave.sh", "ensure");
    assert.equal(run.exitCode, 0, run.stderr);
    assert.match(run.stderr, /could not unmount \/var\/lib\/kubelet\/pods\/1\/volumes\/v/);
    assert.deepEqual(bench.root.calls("umount"), [mount, `--lazy ${mount}`]);
    assert.deepEqual(bench.root.calls("kubeadm"), []);
    assert.equal(bench.root.read(`${mount.slice(1)}/file`), "x\n");
    assert.deepEqual(bench.list("var/lib/kubelet"), ["pods"]);
    assert.ok(!bench.has("etc/kubernetes/kubelet.conf"));
  });

  it("leaves a worker alone that never was a server", async () => {
    bench.stop();
    bench = new KubeadmBench();
    bench.root.write("etc/kubernetes/kubelet.conf", "x");
    for (const verb of ["retire", "stay"]) assert.deepEqual(await leave(verb), { changed: false });
    assert.deepEqual(await leave("ensure"), { changed: false, worker: true });
    assert.deepEqual(await leave("wipe"), { changed: false, worker: false });
    assert.ok(bench.has("etc/kubernetes/kubelet.conf"));
  });

  describe("and kubeadm-join.sh afterwards", () => {
    const join = async (): Promise<unknown> =>
      await bench.succeed("kubeadm-join.sh", "ensure", {
        JOIN_CONFIGURATION: "x",
        VERSION: "v1.34.2",
      });

    it("brings a server back that has left, or has become a worker", async () => {
      await leave("ensure");
      assert.deepEqual(await join(), { changed: true });
      assert.deepEqual(await join(), { changed: false });
      await leave("ensure", { BECOMES: "worker" });
      assert.deepEqual(await join(), { changed: true });
    });

    it("clears a worker, and no server", async () => {
      await leave("ensure", { BECOMES: "worker" });
      const clear = async (): Promise<unknown> => await bench.succeed("kubeadm-join.sh", "clear");
      assert.deepEqual(await clear(), { changed: true });
      assert.ok(!bench.has("etc/kubernetes/kubelet.conf"));
      assert.deepEqual(await clear(), { changed: false });
      await join();
      assert.equal((await bench.script("kubeadm-join.sh", "clear")).exitCode, 1);
    });

    it("clears a leave that was cut off, and a server whose member was removed", async () => {
      await leave("retire");
      bench.root.write("var/lib/triad/leaving", "worker\n20260101T000000\n");
      assert.deepEqual(await join(), { changed: true });
      assert.ok(
        !bench.has("var/lib/triad/leaving") &&
          !bench.has("etc/kubernetes/.kube-apiserver.yaml.triad"),
      );
      assert.equal(
        bench.root.read(`${bench.only("var/lib/triad/half-join")}/member/snap/db`),
        "data\n",
      );
    });
  });
});
