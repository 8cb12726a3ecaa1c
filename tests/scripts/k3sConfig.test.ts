import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { agentEnvironment, agentUnit, K3sBench, version } from "./support/k3sBench.ts";

const path = "etc/rancher/k3s/config.yaml.d/50-triad.yaml";
const dropIn = "etc/systemd/system/k3s.service.d/50-triad.conf";
const unit = `[Service]
Type=notify
Environment="K3S_NODE_NAME=lady" OTHER=1
ExecStart=/usr/local/bin/k3s \\
    server \\
	'--disable=servicelb' \\
	'--etcd-snapshot-schedule-cron' \\
	'0 2 * * *' \\

`;

describe("scripts/k3s-config.sh", function () {
  this.timeout(30_000);
  this.slow(4000);

  let bench: K3sBench;
  beforeEach(() => {
    bench = new K3sBench();
    bench.root.write("etc/systemd/system/k3s.service", unit);
    bench.switchOn("k3s");
  });
  afterEach(() => {
    bench.stop();
  });

  const config = '# Written by Triad.\ndisable:\n  - "servicelb"\n';
  const ensure = async (changes: Record<string, string> = {}): ReturnType<K3sBench["script"]> =>
    await bench.script("k3s-config.sh", "ensure", { CONFIG: config, AUDIT_POLICY: "", ...changes });

  describe("check", () => {
    it("tells command line, environment and files as k3s reads them", async () => {
      bench.root.write(
        "etc/systemd/system/k3s.service.env",
        `K3S_TOKEN='it is "secret"'\nPROXY=x\n`,
      );
      bench.root.write("etc/default/k3s", "K3S_TOKEN=older\nK3S_KUBECONFIG_MODE=644\n");
      bench.root.write("etc/rancher/k3s/config.yaml", 'a: "1"\n');
      bench.root.write("etc/rancher/k3s/config.yaml.d/20-b.yml", "b+: 2\n");
      bench.root.write("etc/rancher/k3s/config.yaml.d/10-c.yaml", "c: 3");
      bench.root.write("etc/rancher/k3s/config.yaml.d/30-d.yaml.bak", "d: 4\n");
      bench.root.write("var/lib/rancher/k3s/server/db/state.db", "");
      bench.root.write("var/lib/triad/audit-policy.yaml", "kind: Policy\n");
      assert.deepEqual(await bench.succeed("k3s-config.sh", "check"), {
        arguments: ["server", "--disable=servicelb", "--etcd-snapshot-schedule-cron", "0 2 * * *"],
        environment: {
          K3S_KUBECONFIG_MODE: "644",
          K3S_NODE_NAME: "lady",
          K3S_TOKEN: 'it is "secret"',
        },
        files: [
          { path: "/etc/rancher/k3s/config.yaml", text: 'a: "1"' },
          { path: "/etc/rancher/k3s/config.yaml.d/10-c.yaml", text: "c: 3" },
          { path: "/etc/rancher/k3s/config.yaml.d/20-b.yml", text: "b+: 2" },
        ],
        datastore: "sqlite",
        version,
        auditPolicySha256: createHash("sha256").update("kind: Policy\n").digest("hex"),
        restartOwed: false,
        leaving: false,
        nodePassword: false,
      });
    });

    it("has drop-ins lay their command line over the unit's", async () => {
      bench.root.write(dropIn, "[Service]\nExecStart=\nExecStart=-/opt/k3s server --debug\n");
      const { arguments: args } = Object(await bench.succeed("k3s-config.sh", "check"));
      assert.deepEqual(args, ["server", "--debug"]);
    });

    it("tells of a machine without k3s that there is nothing, and of an agent what it is told", async () => {
      const bare = new K3sBench();
      const empty = { arguments: [], environment: {}, files: [], datastore: "none", version };
      const rest = {
        auditPolicySha256: "",
        restartOwed: false,
        leaving: false,
        nodePassword: false,
      };
      assert.deepEqual(await bare.succeed("k3s-config.sh", "check"), { ...empty, ...rest });
      bare.installAgent();
      const agent = {
        ...empty,
        arguments: ["agent", "--node-label=disk=ssd"],
        environment: { K3S_TOKEN: "agents-secret", K3S_URL: "https://192.168.1.5:6443" },
        ...rest,
      };
      assert.deepEqual(await bare.succeed("k3s-config.sh", "check"), agent);
      // A join that was cut off has set it aside.
      bare.stop();
      const cut = new K3sBench();
      cut.root.write("var/lib/triad/agent/k3s-agent.service", agentUnit);
      cut.root.write("var/lib/triad/agent/k3s-agent.service.env", agentEnvironment);
      assert.deepEqual(await cut.succeed("k3s-config.sh", "check"), agent);
      cut.stop();
    });
  });

  describe("ensure", () => {
    it("puts flags into the file, ends those of the command line, restarts once", async () => {
      assert.equal((await ensure()).exitCode, 0);
      assert.equal(bench.root.read(path), config);
      assert.equal(statSync(bench.root.at(path)).mode & 0o777, 0o600);
      assert.match(
        bench.root.read(dropIn),
        /\nExecStart=\nExecStart=\/usr\/local\/bin\/k3s server\n/,
      );
      assert.deepEqual(bench.did("restart"), ["restart --no-block k3s"]);
      const { result } = await ensure();
      assert.deepEqual(result, { changed: false });
      assert.equal(bench.did("restart").length, 1);
    });

    it("restarts for another audit policy", async () => {
      await ensure();
      const { result } = await ensure({ AUDIT_POLICY: "kind: Policy\n" });
      assert.deepEqual(result, { changed: true });
      assert.equal(bench.root.read("var/lib/triad/audit-policy.yaml"), "kind: Policy\n");
      assert.equal(bench.did("restart").length, 2);
    });

    it("puts back what does not come up, and says what k3s ended with", async () => {
      await ensure();
      bench.onStart(
        "k3s",
        `if grep -q broken "$TRIAD_ROOT/${path}"; then
           for time in 1 2 3 4; do fail_with "apiserver exited: unknown flag: --broken"; done
         else run; fi`,
      );
      const { exitCode, stderr } = await ensure({ CONFIG: "broken: true\n" });
      assert.equal(exitCode, 1);
      assert.match(
        stderr,
        /did not become ready with its new configuration; it said last: apiserver exited: unknown flag: --broken/,
      );
      assert.equal(bench.root.read(path), config);
      assert.ok(bench.runs("k3s"));
      assert.deepEqual((await ensure()).result, { changed: false });
    });

    it("takes its file away again where there was none", async () => {
      bench.onStart(
        "k3s",
        `if [[ -e $TRIAD_ROOT/${path} ]]; then for time in 1 2 3 4; do fail_with broken; done; else run; fi`,
      );
      assert.equal((await ensure()).exitCode, 1);
      assert.ok(!bench.has(path) && !bench.has(dropIn) && bench.runs("k3s"));
    });

    it("takes up a restart that a run left undone", async () => {
      bench.onStart("k3s", "exit 1");
      assert.equal((await ensure()).exitCode, 1);
      bench.onStart("k3s", "run");
      const { restartOwed } = Object(await bench.succeed("k3s-config.sh", "check"));
      assert.equal(restartOwed, true);
      assert.deepEqual((await ensure()).result, { changed: true });
      assert.equal(bench.did("restart").length, 2);
    });
  });
});
