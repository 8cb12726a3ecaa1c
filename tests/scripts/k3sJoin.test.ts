import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { agentEnvironment, agentUnit, K3sBench, version } from "./support/k3sBench.ts";

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("scripts/k3s-join.sh", function () {
  this.timeout(30_000);
  this.slow(4000);

  let bench: K3sBench;
  beforeEach(() => {
    bench = new K3sBench();
  });
  afterEach(() => {
    bench.stop();
  });

  const config =
    '# Written by Triad.\nserver: "https://192.168.1.2:8443"\netcd-snapshot-dir: "/var/lib/triad/snapshots"\n';
  const token = `K10${hash("the CA\n")}::server:secret`;
  const join = { CONFIG: config, TOKEN: token, VERSION: version, AUDIT_POLICY: "" };
  const unit = "etc/systemd/system/k3s.service";
  const ensure = async (): ReturnType<K3sBench["script"]> =>
    await bench.script("k3s-join.sh", "ensure", join);

  it("makes a fresh machine a server, and a second run touches nothing", async () => {
    assert.deepEqual(await bench.succeed("k3s-join.sh", "check"), { joined: false });
    assert.deepEqual(await bench.succeed("k3s-join.sh", "ensure", join), { changed: true });
    const text = bench.root.read(unit);
    for (const line of ["Type=notify", "KillMode=process", "Restart=always", "RestartSec=5s"]) {
      assert.match(text, new RegExp(`^${line}$`, "m"));
    }
    assert.match(text, /^ExecStart=\/usr\/local\/bin\/k3s server$/m);
    assert.equal(bench.root.read("etc/rancher/k3s/config.yaml.d/50-triad.yaml"), config);
    assert.equal(bench.root.read(`${unit}.env`).trim(), `K3S_TOKEN='${token}'`);
    for (const path of [`${unit}.env`, "etc/rancher/k3s/config.yaml.d/50-triad.yaml"]) {
      assert.equal(statSync(bench.root.at(path)).mode & 0o777, 0o600, path);
    }
    assert.ok(bench.has("var/lib/triad/snapshots"));
    assert.ok(bench.runs("k3s") && bench.isEnabled("k3s"));
    assert.deepEqual(bench.did("start"), ["start --no-block k3s"]);
    assert.deepEqual(await bench.succeed("k3s-join.sh", "check"), { joined: true });

    bench.forgetCalls();
    assert.deepEqual(await bench.succeed("k3s-join.sh", "ensure", join), { changed: false });
    assert.deepEqual(bench.did("start", "stop", "restart"), []);
  });

  it("never has the token in an argument or a line of progress", async () => {
    bench.installAgent();
    const run = await ensure();
    assert.equal(run.exitCode, 0, run.stderr);
    assert.ok(!run.stderr.includes("secret") && !run.stdout.includes("secret"));
    for (const name of ["systemctl", "curl", "journalctl"]) {
      assert.ok(!bench.root.calls(name).join().includes("secret"), name);
    }
  });

  describe("of an agent", () => {
    beforeEach(() => {
      bench.installAgent();
      bench.root.write("var/lib/rancher/k3s/agent/server-ca.crt", "the CA\n");
    });

    it("exchanges the units and leaves its data alone", async () => {
      bench.root.write(
        "etc/systemd/system/k3s-agent.service.env",
        `${agentEnvironment}K3S_NODE_NAME='shuttle'\n`,
      );
      assert.equal((await ensure()).exitCode, 0);
      assert.ok(bench.runs("k3s") && !bench.runs("k3s-agent") && !bench.isEnabled("k3s-agent"));
      assert.ok(!bench.has("etc/systemd/system/k3s-agent.service"));
      assert.ok(!bench.has("usr/local/bin/k3s-agent-uninstall.sh"), "it would wipe the server");
      assert.equal(bench.root.read("var/lib/triad/agent/k3s-agent.service"), agentUnit);
      assert.deepEqual(bench.root.read(`${unit}.env`).trim().split("\n"), [
        "K3S_NODE_NAME='shuttle'",
        `K3S_TOKEN='${token}'`,
      ]);
      assert.equal(bench.root.read("var/lib/rancher/k3s/storage/pvc-1/marker"), "data\n");
      assert.ok(bench.has("var/lib/rancher/k3s/agent/images/a.tar"));
    });

    it("gives it no file of a server while it is an agent, which would die of it", async () => {
      bench.onStart(
        "k3s-agent",
        `[[ ! -e $TRIAD_ROOT/etc/rancher/k3s/config.yaml.d/50-triad.yaml ]] && run`,
      );
      bench.onStart("k3s", "fail_with 'critical configuration value mismatch between servers'");
      assert.equal((await ensure()).exitCode, 1);
      assert.ok(bench.runs("k3s-agent"));
    });

    it("lays the servers' token over the one of the agent's file", async () => {
      bench.root.write(
        "etc/rancher/k3s/config.yaml",
        'token: "agents-secret"\nnode-label: [a=b]\n',
      );
      assert.equal((await ensure()).exitCode, 0);
      const text = bench.root.read("etc/rancher/k3s/config.yaml.d/51-triad-token.yaml");
      assert.match(text, new RegExp(`^token: "${token}"$`, "m"));
      assert.match(bench.root.read("etc/rancher/k3s/config.yaml"), /agents-secret/);
    });

    it("moves an earlier life as a server aside", async () => {
      bench.root.write("var/lib/rancher/k3s/server/db/etcd/name", "shuttle-1a2b3c4d");
      assert.equal((await ensure()).exitCode, 0);
      const kept = bench.only("var/lib/triad/half-join");
      assert.equal(bench.root.read(`${kept}/server/db/etcd/name`), "shuttle-1a2b3c4d");
      assert.ok(!bench.has("var/lib/rancher/k3s/server"));
    });

    const causes: readonly [string, string, RegExp][] = [
      [
        "critical flags that differ",
        `fail_with "critical configuration mismatched: ignored"
         printf 'level=warning msg="critical configuration mismatched: flannel-backend"\\n' >>"$TRIAD_ROOT/journal"
         fail_with "Error: preparing server: critical configuration value mismatch between servers"`,
        /other critical flags than the others: .*flannel-backend[^]*triad:k3s\.config/,
      ],
      [
        "a token that the cluster refuses",
        `fail_with "starting kubernetes: preparing server: failed to validate token: token CA hash does not match the Cluster CA certificate hash: a != b"`,
        /the cluster refuses this machine's token: starting kubernetes[^]*take it out/,
      ],
      [
        "a name that etcd still has",
        `fail_with "duplicate node name found, please use a unique name for this node"`,
        /etcd still has a member of this machine's name/,
      ],
    ];
    for (const [what, hook, complaint] of causes) {
      it(`names ${what}, and the agent is one again`, async () => {
        bench.onStart("k3s", hook);
        const run = await ensure();
        assert.equal(run.exitCode, 1);
        assert.match(run.stderr, complaint);
        assert.ok(
          bench.runs("k3s-agent") && bench.isEnabled("k3s-agent") && !bench.isEnabled("k3s"),
        );
        assert.equal(bench.root.read("etc/systemd/system/k3s-agent.service"), agentUnit);
        assert.equal(bench.root.read("etc/systemd/system/k3s-agent.service.env"), agentEnvironment);
        assert.ok(bench.has("usr/local/bin/k3s-agent-uninstall.sh"));
        for (const path of [
          unit,
          `${unit}.env`,
          "etc/rancher/k3s/config.yaml.d/50-triad.yaml",
          "var/lib/triad/agent",
          "var/lib/triad/joined",
        ]) {
          assert.ok(!bench.has(path), path);
        }
      });
    }

    it("goes on with a join that was cut off after the agent had ended", async () => {
      bench.onStart("k3s", "exit 1");
      assert.equal((await ensure()).exitCode, 1);
      assert.ok(bench.has("var/lib/triad/agent/k3s-agent.service"));
      bench.onStart("k3s", "run");
      const run = await ensure();
      assert.equal(run.exitCode, 0, run.stderr);
      assert.ok(bench.runs("k3s") && !bench.runs("k3s-agent"));
    });

    it("does not go back once etcd counts on it", async () => {
      bench.gateway("status", { header: { member_id: "2" }, leader: "1" });
      bench.onStart("k3s", `run; touch "$state/not-ready"; fail_with "duplicate node name found"`);
      const run = await ensure();
      assert.equal(run.exitCode, 1);
      assert.match(run.stderr, /joined as a voter of etcd, but its API is not ready/);
      assert.ok(bench.runs("k3s") && !bench.runs("k3s-agent"));
    });

    it("is refused where the agent is of another cluster", async () => {
      bench.root.write("var/lib/rancher/k3s/agent/server-ca.crt", "another CA\n");
      const run = await ensure();
      assert.equal(run.exitCode, 1);
      assert.match(run.stderr, /this machine belongs to another k3s cluster/);
      assert.ok(bench.runs("k3s-agent"));
      assert.deepEqual(bench.did("stop", "disable", "start"), []);
    });
  });

  it("clears a fresh machine that could not join, so that nothing of it starts again", async () => {
    bench.onStart("k3s", "fail_with 'critical configuration value mismatch between servers'");
    assert.equal((await ensure()).exitCode, 1);
    assert.ok(!bench.has(unit) && !bench.isEnabled("k3s") && !bench.runs("k3s"));
    bench.onStart("k3s", "run");
    assert.equal((await ensure()).exitCode, 0);
  });

  it("refuses another version, and a living server of another cluster", async () => {
    const run = await bench.script("k3s-join.sh", "ensure", { ...join, VERSION: "v1.35.0+k3s1" });
    assert.match(run.stderr, /k3s on this machine is v1\.34\.2\+k3s1, not v1\.35\.0\+k3s1/);
    bench.root.write(unit, "[Service]\nExecStart=/usr/local/bin/k3s server\n");
    bench.root.write("var/lib/rancher/k3s/server/tls/server-ca.crt", "another CA\n");
    bench.switchOn("k3s");
    assert.match((await ensure()).stderr, /belongs to another k3s cluster/);
    assert.ok(bench.runs("k3s"));
  });

  it("halts a server that is not one yet, and is quiet where there is none", async () => {
    assert.deepEqual(await bench.succeed("k3s-join.sh", "halt"), { changed: false });
    bench.root.write(unit, "[Service]\nExecStart=/usr/local/bin/k3s server\n");
    bench.switchOn("k3s");
    assert.deepEqual(await bench.succeed("k3s-join.sh", "halt"), { changed: true });
    assert.ok(!bench.runs("k3s"));
  });
});
