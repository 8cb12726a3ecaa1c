import assert from "node:assert/strict";
import { existsSync, lstatSync, readdirSync, readlinkSync, rmSync, statSync } from "node:fs";
import { field } from "./support/field.ts";
import { architecture, images, MachineBench, names } from "./support/machineBench.ts";

describe("scripts/machine.sh", function () {
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

  const ready = { adopted: false, containerd: "1.6.20", kubelet: "v1.34.2", arch: architecture };

  it("prepares a bare machine, and a second run touches nothing", async () => {
    assert.deepEqual(await bench.succeed("ensure"), { changed: true, ...ready });
    for (const name of names)
      assert.equal(statSync(bench.root.at(`usr/local/bin/${name}`)).mode & 0o777, 0o755);
    assert.deepEqual(readdirSync(bench.root.at("usr/local/bin")).sort(), [...names].sort());
    assert.equal(bench.root.read("proc/sys/net/ipv4/ip_forward"), "1\n");
    assert.equal(bench.root.read("proc/sys/fs/inotify/max_user_watches"), "1048576\n");
    assert.match(bench.root.read("etc/sysctl.d/90-triad.conf"), /^net\.ipv4\.ip_forward = 1$/m);
    assert.equal(bench.root.read("etc/modules-load.d/triad.conf"), "overlay\nbr_netfilter\n");
    assert.equal(
      readlinkSync(bench.root.at("opt/cni/bin/bridge")),
      bench.root.at("usr/lib/cni/bridge"),
    );
    assert.match(
      bench.root.read("etc/systemd/system/kubelet.service"),
      /^ExecStart=\/usr\/local\/bin\/kubelet$/m,
    );
    assert.match(
      bench.root.read("etc/systemd/system/kubelet.service.d/10-kubeadm.conf"),
      /--kubeconfig=\/etc\/kubernetes\/kubelet\.conf/,
    );
    assert.deepEqual(bench.pulled(), images);
    assert.deepEqual(bench.did("restart", "start"), ["restart containerd"]);
    assert.ok(!existsSync(bench.root.at("on-kubelet")), "kubeadm starts kubelet");
    assert.ok(existsSync(bench.root.at("enabled-kubelet")));

    const before = bench.snapshot();
    assert.deepEqual(await bench.succeed("ensure"), { changed: false, ...ready });
    assert.equal(bench.snapshot(), before);
    assert.deepEqual(bench.did("restart", "start"), ["restart containerd"]);
    assert.equal(bench.pulled().length, images.length);
    assert.equal(bench.requests.length, 6);
    assert.deepEqual(bench.root.calls("apt-get"), []);
  });

  it("leaves a member of a cluster as it is, but for a policy file that is absent", async () => {
    bench.root.write("etc/kubernetes/kubelet.conf", "");
    bench.root.write("proc/swaps", "Filename\n/swapfile\n");
    const before = bench.snapshot();
    assert.deepEqual(await bench.succeed("ensure"), {
      changed: false,
      adopted: true,
      containerd: "1.6.20",
      kubelet: "",
      arch: architecture,
    });
    assert.equal(bench.snapshot(), before);
    assert.deepEqual(
      [bench.root.calls("systemctl"), bench.root.calls("swapoff"), bench.requests],
      [[], [], []],
    );
    const policy = { AUDIT_POLICY: "kind: Policy\nrules: ['x']\n" };
    assert.equal(field(await bench.succeed("ensure", policy), "changed"), true);
    assert.equal(bench.root.read("etc/kubernetes/triad/audit-policy.yaml"), policy.AUDIT_POLICY);
    assert.equal(
      statSync(bench.root.at("etc/kubernetes/triad/audit-policy.yaml")).mode & 0o777,
      0o600,
    );
    assert.equal(field(await bench.succeed("ensure", { AUDIT_POLICY: "other" }), "changed"), false);
    assert.equal(bench.root.read("etc/kubernetes/triad/audit-policy.yaml"), policy.AUDIT_POLICY);
  });

  it("check changes nothing", async () => {
    const before = bench.snapshot();
    assert.deepEqual(await bench.succeed("check"), { changed: false, ...ready, kubelet: "" });
    assert.equal(bench.snapshot(), before);
  });

  describe("containerd", () => {
    const config = (): string => bench.root.read("etc/containerd/config.toml");

    it("uses cgroupfs on cgroup v1 and systemd on v2, unless told", async () => {
      await bench.succeed("ensure");
      assert.match(config(), /SystemdCgroup = false/);
      bench.root.command(
        "stat",
        `[[ $* != "-fc %T "* ]] || { echo cgroup2fs; exit; }; exec /usr/bin/stat "$@"`,
      );
      await bench.succeed("ensure");
      assert.match(config(), /SystemdCgroup = true/);
      await bench.succeed("ensure", { CGROUP_DRIVER: "cgroupfs" });
      assert.match(config(), /SystemdCgroup = false/);
      assert.equal(bench.did("restart").length, 3);
    });

    it("leaves OOM scores alone only where it may not lower them", async () => {
      await bench.succeed("ensure");
      assert.match(config(), /restrict_oom_score_adj = false/);
      bench.root.write("proc/1/status", "CapBnd:\t000001fffeffffff\n");
      await bench.succeed("ensure");
      assert.match(config(), /restrict_oom_score_adj = true/);
    });

    it("has the pause image of this version, the plugins and the mirror's folder", async () => {
      await bench.succeed("ensure");
      assert.match(config(), /sandbox_image = "registry\.k8s\.io\/pause:3\.10\.1"/);
      assert.match(config(), /bin_dir = "\/opt\/cni\/bin"/);
      assert.match(config(), /config_path = "\/etc\/containerd\/certs\.d"/);
    });

    it("keeps what was there before aside", async () => {
      bench.root.write("etc/containerd/config.toml", 'disabled_plugins = ["cri"]\n');
      await bench.succeed("ensure");
      await bench.succeed("ensure", { CGROUP_DRIVER: "systemd" });
      assert.equal(
        bench.root.read("etc/containerd/config.toml.before-triad"),
        'disabled_plugins = ["cri"]\n',
      );
    });

    it("takes up a restart that a run left undone", async () => {
      bench.root.write("broken", "");
      assert.equal((await bench.script("ensure")).exitCode, 1);
      rmSync(bench.root.at("broken"));
      await bench.succeed("ensure");
      assert.deepEqual(bench.did("restart"), ["restart containerd", "restart containerd"]);
      await bench.succeed("ensure");
      assert.equal(bench.did("restart").length, 2);
    });
  });

  describe("kernel", () => {
    it("turns swap off, now and in fstab", async () => {
      bench.root.write("proc/swaps", "Filename\n/dev/sda2 partition\n");
      bench.root.write(
        "etc/fstab",
        "/dev/sda1 / ext4 defaults 0 1\n/dev/sda2 none swap sw 0 0\n# /dev/x none swap sw 0 0\n",
      );
      await bench.succeed("ensure");
      assert.equal(bench.root.calls("swapoff").length, 1);
      assert.equal(
        bench.root.read("etc/fstab"),
        "/dev/sda1 / ext4 defaults 0 1\n# Triad, as kubelet wants no swap: /dev/sda2 none swap sw 0 0\n# /dev/x none swap sw 0 0\n",
      );
      assert.equal(field(await bench.succeed("ensure"), "changed"), false);
      assert.equal(bench.root.calls("swapoff").length, 1);
    });

    it("refuses a machine whose swap stays on", async () => {
      bench.root.write("proc/swaps", "Filename\n/dev/zram0 partition\n");
      bench.root.command("swapoff", "exit 1");
      await bench.refused(/swap is on: \/dev\/zram0/);
    });

    it("judges modules by effect, not by modprobe", async () => {
      await bench.succeed("ensure");
      assert.deepEqual(bench.root.calls("modprobe"), []);
      rmSync(bench.root.at("proc/sys/net/bridge"), { recursive: true });
      await bench.refused(/the kernel has no br_netfilter/);
      bench.root.write("proc/filesystems", "ext4\n");
      await bench.refused(/the kernel has no overlay file system/);
    });

    it("insists on forwarding, and only warns of what it cannot set kernel-wide", async () => {
      // Absent stands for read-only here, as root writes into read-only files too.
      rmSync(bench.root.at("proc/sys/fs/inotify/max_user_instances"));
      const run = await bench.script("ensure");
      assert.equal(run.exitCode, 0, run.stderr);
      assert.match(
        run.stderr,
        /warning: fs\.inotify\.max_user_instances is not 512 and cannot be set here/,
      );
      rmSync(bench.root.at("proc/sys/net/ipv4/ip_forward"));
      await bench.refused(/net\.ipv4\.ip_forward is not 1 and cannot be set/);
    });
  });

  describe("CNI plugins", () => {
    it("leaves those in /opt/cni/bin alone", async () => {
      bench.executable("opt/cni/bin/bridge");
      await bench.succeed("ensure");
      assert.ok(!lstatSync(bench.root.at("opt/cni/bin/bridge")).isSymbolicLink());
      assert.deepEqual(readdirSync(bench.root.at("opt/cni/bin")), ["bridge"]);
    });
  });
});
