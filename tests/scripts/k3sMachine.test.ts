import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readlinkSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { K3sBench } from "./support/k3sBench.ts";
import { listen } from "./support/listen.ts";
import { treeOf } from "./support/treeOf.ts";

const version = "v1.34.2+k3s1";
const program = (says = version): string =>
  `#!/bin/bash\n[[ $* != --version ]] || echo "k3s version ${says} (double)"\n`;

describe("scripts/k3s-machine.sh", function () {
  this.timeout(30_000);
  this.slow(4000);

  let bench: K3sBench;
  let artifacts: string;
  let machine: string;
  const files = new Map<string, string>();
  let requests: string[] = [];
  const server = createServer((request, response) => {
    const name = request.url ?? "";
    requests.push(name);
    response.writeHead(files.has(name) ? 200 : 404).end(files.get(name));
  });

  before(async () => {
    artifacts = `http://127.0.0.1:${await listen(server)}/releases`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    bench = new K3sBench();
    // What is fetched takes its place; downloads are real.
    for (const name of ["k3s", "curl"]) rmSync(bench.root.at(`stub-commands/${name}`));
    bench.root.command("dpkg-query", "echo 'install ok installed'");
    bench.root.command("uname", "cat $TRIAD_ROOT/machine");
    bench.root.write("proc/filesystems", "nodev\toverlay\n");
    for (const key of ["net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"]) {
      bench.root.write(`proc/sys/${key}`, "1\n");
    }
    bench.root.command("ctr", "");
    machine = "x86_64";
    requests = [];
    publish("amd64", "k3s");
  });
  afterEach(() => {
    bench.stop();
  });

  function publish(architecture: string, name: string, says = version): void {
    files.clear();
    const images = `k3s-airgap-images-${architecture}.tar.gz`;
    const contents = { [name]: program(says), [images]: "images" };
    const sums = Object.entries(contents).map(
      ([file, content]) => `${createHash("sha256").update(content).digest("hex")}  ${file}\n`,
    );
    for (const [file, content] of Object.entries({
      ...contents,
      [`sha256sum-${architecture}.txt`]: sums.join(""),
    })) {
      files.set(`/releases/v1.34.2%2Bk3s1/${file}`, content);
    }
  }

  async function run(
    verb: string,
    changes: Record<string, string> = {},
  ): ReturnType<K3sBench["script"]> {
    bench.root.write("machine", `${machine}\n`);
    const variables = { VERSION: version, ARTIFACTS_URL: artifacts, ROLE: "server", ...changes };
    // What was fetched is found as on a machine.
    bench.root.command("k3s", `exec "$TRIAD_ROOT/usr/local/bin/k3s" "$@"`);
    return await bench.script("k3s-machine.sh", verb, variables);
  }

  it("prepares a bare machine, and a second run touches nothing", async () => {
    const first = await run("ensure");
    assert.equal(first.exitCode, 0, first.stderr);
    const ready = { adopted: false, k3s: version, arch: "amd64" };
    assert.deepEqual(first.result, { changed: true, ...ready });
    assert.equal(statSync(bench.root.at("usr/local/bin/k3s")).mode & 0o777, 0o755);
    assert.equal(readlinkSync(bench.root.at("usr/local/bin/crictl")), "k3s");
    assert.ok(!bench.has("usr/local/bin/ctr"), "another program has the name");
    const images = "var/lib/rancher/k3s/agent/images";
    assert.deepEqual(readdirSync(bench.root.at(images)), ["k3s-airgap-images-amd64.tar.gz"]);
    assert.equal(statSync(bench.root.at("var/lib/triad/snapshots")).mode & 0o777, 0o700);
    assert.deepEqual(bench.root.calls("systemctl"), []);
    assert.ok(lstatSync(bench.root.at("etc/sysctl.d/90-triad.conf")).isFile());

    const asked = requests.length;
    assert.deepEqual((await run("ensure")).result, { changed: false, ...ready });
    assert.equal(requests.length, asked);
  });

  const architectures: readonly [string, string, string][] = [
    ["aarch64", "arm64", "k3s-arm64"],
    ["armv7l", "arm", "k3s-armhf"],
  ];
  for (const [name, architecture, file] of architectures) {
    it(`takes ${file} on ${name}`, async () => {
      machine = name;
      publish(architecture, file);
      const { exitCode, stderr, result } = await run("ensure", { ROLE: "worker" });
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(result, { changed: true, adopted: false, k3s: version, arch: architecture });
      assert.ok(requests.includes(`/releases/v1.34.2%2Bk3s1/${file}`));
    });
  }

  it("leaves a server or an agent as it is, but for files of its API server that are absent", async () => {
    bench.installAgent();
    const { result } = await run("ensure", { AUDIT_POLICY: "kind: Policy\n" });
    assert.deepEqual(result, { changed: true, adopted: true, k3s: "", arch: "amd64" });
    assert.equal(bench.root.read("var/lib/triad/audit-policy.yaml"), "kind: Policy\n");
    assert.deepEqual(requests, []);
    const again = await run("ensure", { AUDIT_POLICY: "other" });
    assert.deepEqual(again.result, { changed: false, adopted: true, k3s: "", arch: "amd64" });
    assert.deepEqual(bench.root.calls("systemctl"), []);
  });

  it("refuses a file that is not the release's, and leaves nothing of it", async () => {
    files.set("/releases/v1.34.2%2Bk3s1/k3s", "forged");
    assert.match(
      (await run("ensure")).stderr,
      /k3s has the SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}/,
    );
    assert.deepEqual(readdirSync(bench.root.at("usr/local/bin")), []);
    files.set("/releases/v1.34.2%2Bk3s1/sha256sum-amd64.txt", "<html>");
    assert.match((await run("ensure")).stderr, /sha256sum-amd64\.txt holds no SHA-256 of k3s/);
    files.clear();
    assert.match((await run("ensure")).stderr, /could not fetch http.*v1\.34\.2%2Bk3s1\/k3s/);
    publish("amd64", "k3s", "v1.33.5+k3s1");
    assert.match((await run("ensure")).stderr, /says v1\.33\.5\+k3s1 and not v1\.34\.2\+k3s1/);
  });

  it("does without the images where the source has none", async () => {
    const images = "/releases/v1.34.2%2Bk3s1/k3s-airgap-images-amd64.tar.gz";
    files.delete(images);
    const { exitCode, stderr } = await run("ensure");
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /warning: could not fetch .*k3s will pull its images itself/);
  });

  it("asks a mirror first, and leaves somebody else's registries alone", async () => {
    const path = "etc/rancher/k3s/registries.yaml";
    await run("ensure", { IMAGE_MIRROR: "http://192.168.1.9:5000/" });
    assert.match(
      bench.root.read(path),
      /^ {2}docker\.io:\n {4}endpoint:\n {6}- "http:\/\/192\.168\.1\.9:5000"$/m,
    );
    await run("ensure");
    assert.ok(!bench.has(path));
    bench.root.write(path, "mirrors: {}\n");
    await run("ensure", { IMAGE_MIRROR: "http://192.168.1.9:5000/" });
    assert.equal(bench.root.read(path), "mirrors: {}\n");
  });

  it("makes a machine as it was found, but for volumes", async () => {
    const { root } = bench;
    root.write("proc/self/mounts", "");
    root.write("usr/local/bin/crictl", "#!/bin/sh\n");
    root.write("etc/rancher/k3s/config.yaml", "# mine\n");
    await run("check");
    const before = treeOf(root);
    await run("ensure", { IMAGE_MIRROR: "http://192.168.1.9:5000", AUDIT_POLICY: "x" });
    // What a server leaves behind that has left.
    for (const path of [
      ...[
        "var/lib/rancher/k3s/data/x/bin/k3s",
        "var/lib/rancher/k3s/agent/x",
        "var/log/pods/a/0.log",
      ],
      ...["etc/rancher/node/password", "var/lib/rancher/k3s/storage/pvc-1/marker"],
    ]) {
      root.write(path, "");
    }
    assert.deepEqual((await run("remove")).result, { changed: true, kept: false });
    assert.ok(bench.has("var/lib/rancher/k3s/storage/pvc-1/marker"));
    rmSync(root.at("var/lib/rancher"), { recursive: true });
    assert.equal(treeOf(root), before);
    assert.deepEqual((await run("remove")).result, { changed: false, kept: true });
  });

  it("clears a join that was cut off before etcd ran, which k3s would go on with, and no other", async () => {
    await run("ensure");
    const { root } = bench;
    const halfJoin = (): void => {
      root.write("var/lib/triad/joined", "k3s");
      root.write("etc/systemd/system/k3s.service", "# Written by Triad\n");
      root.write("etc/rancher/k3s/config.yaml.d/50-triad.yaml", "server: x\n");
      bench.switchOn("k3s");
    };
    halfJoin();
    root.write("var/lib/rancher/k3s/server/db/etcd/member/wal/0", "");
    assert.deepEqual((await run("remove")).result, { changed: false, kept: true });
    assert.ok(bench.runs("k3s"));
    rmSync(root.at("var/lib/rancher/k3s/server"), { recursive: true });
    assert.deepEqual((await run("remove")).result, { changed: true, kept: false });
    assert.ok(!bench.runs("k3s") && !bench.has("etc/systemd/system/k3s.service"));
    assert.ok(!bench.has("etc/rancher/k3s") && !bench.has("var/lib/triad"));
  });

  for (const unit of ["k3s", "k3s-agent"]) {
    it(`leaves a machine with ${unit} alone`, async () => {
      await run("ensure");
      bench.root.write(`etc/systemd/system/${unit}.service`, "");
      const before = treeOf(bench.root);
      assert.deepEqual((await run("remove")).result, { changed: false, kept: true });
      assert.equal(treeOf(bench.root), before);
    });
  }
});
