import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { MachineBench } from "./support/machineBench.ts";
import { treeOf } from "./support/treeOf.ts";

describe("scripts/machine.sh remove", function () {
  this.timeout(30_000);
  this.slow(4000);

  let bench: MachineBench;
  beforeEach(async () => {
    bench = new MachineBench();
    await bench.start();
    bench.installPackages("curl", "iproute2", "ca-certificates", "containerd");
    bench.root.write("images", "");
  });
  afterEach(() => {
    bench.stop();
  });

  const gone = { changed: true, kept: false };
  /** The machine with what its doubles know of it. */
  const tree = (): string => treeOf(bench.root);

  it("makes a bare machine as it was found", async () => {
    const before = tree();
    await bench.succeed("ensure", { IMAGE_MIRROR: "http://10.0.0.1:5000", AUDIT_POLICY: "x" });
    assert.notEqual(tree(), before);
    assert.deepEqual(await bench.succeed("remove"), gone);
    assert.equal(tree(), before);
    assert.deepEqual(await bench.succeed("remove"), { changed: false, kept: true });
  });

  it("gives back what was there in other versions and with other settings", async () => {
    const { root } = bench;
    root.write("etc/containerd/config.toml", 'disabled_plugins = ["cri"]\n');
    root.write("etc/containerd/certs.d/docker.io/hosts.toml", "# mine\n");
    root.write("etc/systemd/system/kubelet.service", "# mine\n");
    for (const name of ["kubeadm", "kubectl"]) {
      bench.executable(`usr/local/bin/${name}`, "#!/bin/sh\necho v1.20.0\n");
    }
    root.write("etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n/dev/sda2 none swap sw 0 0\n");
    root.write("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1000 0 -2\n");
    root.recorded(
      "swapoff",
      `cp "$TRIAD_ROOT/proc/swaps" "$TRIAD_ROOT/cut"; head -n 1 "$TRIAD_ROOT/cut" >"$TRIAD_ROOT/proc/swaps"; rm "$TRIAD_ROOT/cut"`,
    );
    root.recorded("swapon", `echo "/dev/sda2 partition 1000 0 -2" >>"$TRIAD_ROOT/proc/swaps"`);
    root.write("images", "docker.io/library/mine:1\n");
    root.write("opt/cni/bin/mine", "");
    root.write("var/lib/kubelet/mine", "");
    root.write("on-containerd", "");
    root.write("enabled-containerd", "");
    const before = tree();
    await bench.succeed("ensure", { IMAGE_MIRROR: "http://10.0.0.1:5000" });
    assert.deepEqual(await bench.succeed("remove"), gone);
    assert.equal(tree(), before);
    assert.deepEqual(root.calls("swapon"), ["--priority -2 /dev/sda2"]);
  });

  it("takes away what a cluster left there, but never etcd's data", async () => {
    const before = tree();
    await bench.succeed("ensure");
    for (const path of [
      ...[
        "etc/kubernetes/manifests/x.yaml",
        "etc/cni/net.d/10-flannel.conflist",
        "opt/cni/bin/flannel",
      ],
      ...["var/log/pods/a/0.log", "var/lib/kubelet/cpu_manager_state", "var/lib/containerd/io/x"],
    ]) {
      bench.root.write(path, "x");
    }
    bench.root.write("var/lib/triad/left/20260101T000000/x", "kept");
    bench.root.write("var/lib/etcd/member/snap/db", "data");
    assert.deepEqual(await bench.succeed("remove"), gone);
    for (const path of ["var/lib/triad/left", "var/lib/etcd/member"]) {
      assert.ok(existsSync(bench.root.at(path)), path);
      rmSync(bench.root.at(path), { recursive: true });
    }
    assert.equal(tree(), before);
  });

  it("keeps packages on which others depend by now, and those that Triad's other scripts need", async () => {
    await bench.succeed("ensure");
    bench.root.write("needed", "libethtool:amd64");
    bench.root.write("var/lib/triad/found/packages/socat", "machine\nhaproxy\n");
    await bench.succeed("remove");
    const left = bench.root.read("packages").trim().split("\n");
    const found = ["curl", "iproute2", "ca-certificates", "containerd"];
    assert.deepEqual(left, [...found, "socat", "libethtool:amd64"]);
    assert.equal(bench.root.read("var/lib/triad/found/packages/socat"), "haproxy\n");
  });

  describe("after a join that did not finish", () => {
    const pem = "var/lib/kubelet/pki/kubelet-client-current.pem";
    const makeHalfJoin = async (): Promise<void> => {
      const { root } = bench;
      rmSync(root.at("stub-commands/kubeadm"), { force: true });
      await bench.succeed("ensure");
      root.write("var/lib/triad/joined", "kubeadm v1.34.2\n");
      root.write("etc/kubernetes/kubelet.conf", "    server: https://10.0.0.9:6443\n");
      root.write("etc/kubernetes/manifests/etcd.yaml", "x");
      root.command("kubeadm", "exit 1");
      root.command("openssl", "echo '    commonName                = system:node:shuttle'");
    };
    const api = (status: number): void => {
      bench.root.command(
        "curl",
        `[[ \${@: -1} == https://10.0.0.9:6443/api/v1/nodes/shuttle ]] && printf ${status}`,
      );
    };

    it("clears it where no API knows its kubelet, or none has a Node of it", async () => {
      const before = tree();
      await makeHalfJoin();
      assert.deepEqual(await bench.succeed("remove"), gone);
      assert.equal(tree(), before);
      await makeHalfJoin();
      bench.root.write(pem, "");
      api(404);
      assert.deepEqual(await bench.succeed("remove"), gone);
    });

    it("leaves it where there is a Node, or a member's data, or nobody who could say", async () => {
      const kept = { changed: false, kept: true };
      await makeHalfJoin();
      bench.root.write(pem, "");
      for (const status of [200, 0, 403]) {
        api(status);
        assert.deepEqual(await bench.succeed("remove"), kept, `${status}`);
      }
      api(404);
      bench.root.write("var/lib/etcd/member/snap/db", "data");
      assert.deepEqual(await bench.succeed("remove"), kept);
      assert.ok(existsSync(bench.root.at("etc/kubernetes/manifests/etcd.yaml")));
    });
  });

  for (const [what, path] of [
    ["is still a Node", "etc/kubernetes/kubelet.conf"],
    ["is leaving its cluster", "var/lib/triad/leaving"],
  ] as const) {
    it(`leaves a machine alone that ${what}`, async () => {
      await bench.succeed("ensure");
      bench.root.write(path, "");
      const before = bench.snapshot();
      assert.deepEqual(await bench.succeed("remove"), { changed: false, kept: true });
      assert.equal(bench.snapshot(), before);
    });
  }

  it("leaves a machine alone that is to be forgotten, and one that was prepared without a memory", async () => {
    await bench.succeed("ensure");
    const before = bench.snapshot();
    const kept = { changed: false, kept: true };
    assert.deepEqual(await bench.succeed("remove", { ON_DESTROY: "forget" }), kept);
    assert.equal(bench.snapshot(), before);
    rmSync(bench.root.at("var/lib/triad/found"), { recursive: true });
    await bench.succeed("ensure");
    assert.ok(!existsSync(bench.root.at("var/lib/triad/found/machine")));
    assert.deepEqual(await bench.succeed("remove"), kept);
    assert.ok(existsSync(bench.root.at("usr/local/bin/kubelet")));
  });
});
