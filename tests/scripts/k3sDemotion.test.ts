import assert from "node:assert/strict";
import { rmSync, symlinkSync } from "node:fs";
import { K3sBench, version } from "./support/k3sBench.ts";

/** A server as k3s's installer leaves it, told of itself in three places. */
const serverUnit = String.raw`[Service]
Type=notify
EnvironmentFile=-/etc/systemd/system/k3s.service.env
ExecStart=/usr/local/bin/k3s \
    server \
	'--cluster-init' \
	'--tls-san' \
	'10.0.0.1' \
	'--flannel-iface' \
	'eth1' \
	'--node-label=disk=100%%' \
	'--selinux' \
	'--disable=traefik' \

`;
const config = `# mine
disable:
- servicelb
node-ip: "192.168.1.5" # here
kubelet-arg:
  - max-pods=50
token: secret
"cluster-init": true
`;

describe("scripts/k3s-leave.sh of a server that never was an agent", function () {
  this.timeout(30_000);
  this.slow(4000);

  let bench: K3sBench;
  beforeEach(() => {
    bench = new K3sBench();
    const { root } = bench;
    root.write("etc/systemd/system/k3s.service", serverUnit);
    root.write(
      "etc/systemd/system/k3s.service.env",
      "HTTP_PROXY=http://p\nK3S_URL='https://x'\nK3S_TOKEN='own'\n",
    );
    root.write("etc/rancher/k3s/config.yaml", config);
    root.write(
      "etc/rancher/k3s/config.yaml.d/50-triad.yaml",
      '# Written by Triad.\ncluster-init: true\nnode-name: "a"\n',
    );
    root.write("etc/rancher/k3s/config.yaml.d/60-mine.yaml", "server: https://old:6443\n");
    root.write("etc/rancher/k3s/registries.yaml", "mirrors: {}\n");
    root.write("var/lib/rancher/k3s/server/token", "K10abc::server:secret\n");
    symlinkSync(
      "/var/lib/rancher/k3s/server/token",
      root.at("var/lib/rancher/k3s/server/agent-token"),
    );
    root.write("var/lib/rancher/k3s/server/db/etcd/name", "a-1a2b3c4d");
    root.write("var/lib/rancher/k3s/agent/etc/k3s-agent-load-balancer.json", "{}");
    root.write("var/lib/rancher/k3s/agent/containerd/x", "image");
    root.write("var/lib/rancher/k3s/storage/pvc-1/marker", "data\n");
    root.write("etc/rancher/node/password", "p");
    bench.switchOn("k3s");
    root.write("state/enabled-k3s", "");
  });
  afterEach(() => {
    bench.stop();
  });

  const leave = async (verb: string, variables: Record<string, string> = {}): Promise<unknown> =>
    await bench.succeed("k3s-leave.sh", verb, variables);
  const worker = { BECOMES: "worker", ENDPOINT: "https://192.168.1.50:8443" };

  it("makes an agent of it, which knows of itself what the server knew, and nothing that ends it", async () => {
    await leave("retire");
    assert.deepEqual(await leave("ensure", worker), { changed: true, worker: true });
    assert.ok(bench.runs("k3s-agent") && bench.isEnabled("k3s-agent") && !bench.isEnabled("k3s"));
    const unit = bench.root.read("etc/systemd/system/k3s-agent.service");
    assert.match(
      unit,
      /^ExecStart=\/usr\/local\/bin\/k3s agent '--flannel-iface' 'eth1' '--node-label=disk=100%%' '--selinux'$/m,
    );
    assert.match(unit, /^Type=exec$/m);
    assert.equal(
      bench.root.read("etc/systemd/system/k3s-agent.service.env"),
      "HTTP_PROXY=http://p\nK3S_TOKEN='K10abc::server:secret'\nK3S_URL='https://192.168.1.50:8443'\n",
    );
    const own = '# mine\nnode-ip: "192.168.1.5" # here\nkubelet-arg:\n  - max-pods=50\n';
    assert.equal(bench.root.read("etc/rancher/k3s/config.yaml"), own);
    const triads = "etc/rancher/k3s/config.yaml.d/50-triad-agent.yaml";
    assert.equal(bench.root.read(triads), '# Written by Triad.\nnode-name: "a"\n');
    for (const path of ["agent/containerd/x", "storage/pvc-1/marker"]) {
      assert.ok(bench.has(`var/lib/rancher/k3s/${path}`), path);
    }
    for (const path of [
      ...["etc/systemd/system/k3s.service", "etc/systemd/system/k3s.service.env"],
      ...["etc/rancher/k3s/config.yaml.d/60-mine.yaml", "var/lib/rancher/k3s/server"],
      ...["var/lib/rancher/k3s/agent/etc/k3s-agent-load-balancer.json", "var/lib/triad/agent"],
    ]) {
      assert.ok(!bench.has(path), path);
    }
    const kept = bench.only("var/lib/triad/left");
    assert.equal(bench.root.read(`${kept}/etc/config.yaml`), config);
    assert.equal(bench.root.read(`${kept}/unit/k3s.service`), serverUnit);
    assert.deepEqual(bench.root.calls("umount"), []);
    for (const variables of [worker, {}]) {
      assert.deepEqual(await leave("ensure", variables), { changed: false, worker: true });
    }
  });

  it("cleans it so that a k3s which somebody starts there does not join by itself", async () => {
    await leave("retire");
    assert.deepEqual(await leave("ensure"), { changed: true, worker: false });
    assert.deepEqual(
      bench.root.read("etc/rancher/k3s/config.yaml"),
      '# mine\ndisable:\n- servicelb\nnode-ip: "192.168.1.5" # here\nkubelet-arg:\n  - max-pods=50\n',
    );
    for (const name of ["50-triad.yaml", "60-mine.yaml"]) {
      assert.ok(!bench.has(`etc/rancher/k3s/config.yaml.d/${name}`), name);
    }
    assert.ok(bench.has("etc/rancher/k3s/registries.yaml"));
    assert.ok(!bench.has("etc/systemd/system/k3s.service") && !bench.has("var/lib/triad/leaving"));
    assert.deepEqual(await leave("ensure"), { changed: false, worker: false });
  });

  it("brings it back by the old list, with what its command line said of it", async () => {
    await leave("ensure");
    const told = await bench.succeed("k3s-config.sh", "check");
    assert.ok(JSON.stringify(told).includes('"--flannel-iface","eth1"'));
    const variables = { CONFIG: "server: x\n", TOKEN: "t", VERSION: version, AUDIT_POLICY: "" };
    await bench.succeed("k3s-join.sh", "ensure", variables);
    assert.ok(bench.runs("k3s"));
    assert.equal(bench.root.read("etc/systemd/system/k3s.service"), serverUnit);
    assert.match(
      bench.root.read("etc/systemd/system/k3s.service.d/50-triad.conf"),
      /^ExecStart=\/usr\/local\/bin\/k3s server$/m,
    );
    assert.equal(
      bench.root.read("etc/systemd/system/k3s.service.env"),
      "HTTP_PROXY=http://p\nK3S_TOKEN='t'\n",
    );
    assert.ok(!bench.has("var/lib/triad/server"));
  });

  it("brings it back after it was a worker, and lets it be one again", async () => {
    await leave("ensure", worker);
    const variables = { CONFIG: "server: x\n", TOKEN: "t", VERSION: version, AUDIT_POLICY: "" };
    await bench.succeed("k3s-join.sh", "ensure", variables);
    assert.ok(bench.runs("k3s") && !bench.runs("k3s-agent"));
    bench.root.write("var/lib/rancher/k3s/server/token", "K10abc::server:secret\n");
    assert.deepEqual(await leave("ensure"), { changed: true, worker: true });
    assert.match(
      bench.root.read("etc/rancher/k3s/config.yaml.d/50-triad-agent.yaml"),
      /^node-name: "a"$/m,
    );
    assert.ok(!bench.has("etc/rancher/k3s/config.yaml.d/50-triad.yaml"));
    assert.match(
      bench.root.read("etc/systemd/system/k3s-agent.service"),
      /'--flannel-iface' 'eth1'/,
    );
  });

  it("masks a unit that a package brought", async () => {
    const { root } = bench;
    root.write("usr/lib/systemd/system/k3s.service", serverUnit);
    await bench.succeed("k3s-leave.sh", "retire");
    rmSync(root.at("etc/systemd/system/k3s.service"));
    assert.deepEqual(await leave("ensure"), { changed: true, worker: false });
    assert.deepEqual(bench.did("mask"), ["mask k3s"]);
    assert.deepEqual(await leave("ensure"), { changed: false, worker: false });
    const variables = { CONFIG: "server: x\n", TOKEN: "t", VERSION: version, AUDIT_POLICY: "" };
    await bench.succeed("k3s-join.sh", "ensure", variables);
    assert.match(root.read("etc/systemd/system/k3s.service.d/50-triad.conf"), /k3s server$/m);
  });
});
