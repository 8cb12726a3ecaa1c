import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";

import { binary, images, MachineBench, names } from "./support/machineBench.ts";

describe("scripts/machine.sh: what it fetches", function () {
  this.timeout(30_000);
  this.slow(4000);

  let bench: MachineBench;
  beforeEach(async () => {
    bench = new MachineBench();
    await bench.start();
  });
  afterEach(() => {
    bench.stop();
  });

  describe("binaries", () => {
    it("keeps those that are there in the right version, and replaces others", async () => {
      for (const name of names)
        bench.executable(
          `usr/local/bin/${name}`,
          binary(name === "kubelet" ? "v1.33.6" : "v1.34.2"),
        );
      await bench.succeed("ensure");
      assert.deepEqual(
        bench.requests.map((url) => url.split("/").at(-1)),
        ["kubelet", "kubelet.sha256"],
      );
    });

    it("keeps the package's kubelet and its unit", async () => {
      for (const name of names) {
        bench.root.command(name, binary("v1.34.2").replace("#!/bin/bash\n", ""));
      }
      await bench.succeed("ensure");
      assert.deepEqual(bench.requests, []);
      assert.ok(!existsSync(bench.root.at("etc/systemd/system/kubelet.service")));
      assert.ok(existsSync(bench.root.at("enabled-kubelet")));
    });

    it("refuses a file that is not the one announced, and leaves nothing of it", async () => {
      bench.files.set(bench.pathOf("kubeadm"), binary("v1.34.2") + "# forged");
      await bench.refused(/kubeadm has the SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}/);
      assert.deepEqual(readdirSync(bench.root.at("usr/local/bin")), []);
    });

    it("takes a checksum that is given over the one that is served", async () => {
      await bench.refused(/kubelet has the SHA-256/, { SHA256_KUBELET: "0".repeat(64) });
      for (const name of names) bench.files.delete(`${bench.pathOf(name)}.sha256`);
      const sum = createHash("sha256").update(binary("v1.34.2")).digest("hex");
      await bench.succeed("ensure", {
        SHA256_KUBEADM: sum,
        SHA256_KUBELET: sum.toUpperCase(),
        SHA256_KUBECTL: sum,
      });
    });

    it("runs nothing without a checksum, and says what it could not fetch", async () => {
      bench.files.set(`${bench.pathOf("kubeadm")}.sha256`, "<html>not found</html>");
      await bench.refused(/kubeadm\.sha256 holds no SHA-256/);
      bench.files.clear();
      await bench.refused(
        /could not fetch http:\/\/127\.0\.0\.1:\d+\/release\/v1\.34\.2\/bin\/linux/,
      );
      assert.deepEqual(readdirSync(bench.root.at("usr/local/bin")), []);
    });

    it("refuses a file of another version than its name says", async () => {
      bench.publish("v1.34.2", binary("v1.34.1"));
      await bench.refused(/kubeadm says v1\.34\.1 and not v1\.34\.2/);
    });
  });

  describe("images", () => {
    it("asks the mirror first, for every registry, and forgets it when it goes", async () => {
      await bench.succeed("ensure", { IMAGE_MIRROR: "http://10.0.20.1:5000/" });
      assert.equal(
        bench.root.read("etc/containerd/certs.d/docker.io/hosts.toml"),
        '# Written by Triad\nserver = "https://registry-1.docker.io"\n\n[host."http://10.0.20.1:5000"]\n  capabilities = ["pull", "resolve"]\n',
      );
      assert.deepEqual(readdirSync(bench.root.at("etc/containerd/certs.d")).sort(), [
        "docker.io",
        "ghcr.io",
        "registry.k8s.io",
      ]);
      bench.root.write("etc/containerd/certs.d/ghcr.io/hosts.toml", "# my own\n");
      await bench.succeed("ensure");
      assert.ok(!existsSync(bench.root.at("etc/containerd/certs.d/docker.io/hosts.toml")));
      assert.equal(bench.root.read("etc/containerd/certs.d/ghcr.io/hosts.toml"), "# my own\n");
      assert.equal(bench.did("restart").length, 1);
    });

    it("fetches only what is missing, and for a worker no control plane", async () => {
      bench.root.write("images", `${images[3]}\n`);
      await bench.succeed("ensure", { ROLE: "worker" });
      assert.deepEqual(bench.pulled(), [images[1], images[2]]);
    });

    it("fetches further images, but does without those that are not to be had", async () => {
      const extra = "docker.io/flannel/flannel:v0.26.7";
      const run = await bench.script("ensure", {
        EXTRA_IMAGES: `docker.io/absent/one:v1 ${extra}`,
      });
      assert.equal(run.exitCode, 0, run.stderr);
      assert.match(run.stderr, /warning: could not fetch the image docker\.io\/absent\/one:v1/);
      assert.ok(bench.pulled().includes(extra));
    });

    it("says which image it could not fetch", async () => {
      bench.publish("v1.34.2", binary("v1.34.2").replace("etcd:3.6.5-0", "absent:1"));
      await bench.refused(/could not fetch the image registry\.k8s\.io\/absent:1/);
    });
  });
});
