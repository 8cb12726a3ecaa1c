import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import * as z from "zod";
import { FakeRoot } from "./support/fakeRoot.ts";
import { listen } from "./support/listen.ts";
import { runScript } from "./support/runScript.ts";

describe("scripts/observe.sh", () => {
  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
    root.write("proc/meminfo", "MemTotal:        2097152 kB\nMemFree: 1 kB\n");
    root.write("proc/swaps", "Filename\n");
    root.write("etc/os-release", 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n');
  });
  afterEach(() => {
    root.remove();
  });

  async function observe(): Promise<Record<string, unknown>> {
    const run = await runScript("observe.sh", "check", {}, root);
    assert.equal(run.exitCode, 0, run.stderr);
    assert.equal(run.stderr, "");
    return z.record(z.string(), z.unknown()).parse(run.result);
  }

  it("tells what a bare machine is", async () => {
    const { clockMs, diskFreeGiB, hostname, listeners, arch, sudo, ...rest } = await observe();
    assert.deepEqual(rest, {
      os: "Debian GNU/Linux 12 (bookworm)",
      memoryMiB: 2048,
      swap: false,
      kubeletConf: false,
      adminConf: false,
      etcdData: false,
      kubeletServer: "",
      heldBack: "",
      k3s: { role: "none", version: "", datastore: "none", staleEtcd: false },
    });
    assert.ok(typeof clockMs === "number" && Math.abs(clockMs - Date.now()) < 5000);
    assert.ok(typeof diskFreeGiB === "number" && Number.isInteger(diskFreeGiB));
    assert.equal(hostname, execFileSync("hostname", { encoding: "utf8" }).trim());
    assert.ok(Array.isArray(listeners));
    assert.match(String(arch), /^(amd64|arm64)$/);
    assert.equal(sudo, process.getuid?.() === 0);
  });

  it("tells what a server has", async () => {
    root.write(
      "etc/kubernetes/kubelet.conf",
      "clusters:\n- cluster:\n    certificate-authority-data: x\n    server: https://10.0.20.100:6443\n",
    );
    root.write("etc/kubernetes/admin.conf", "");
    root.write("proc/swaps", "Filename\n/swapfile file\n");
    mkdirSync(root.at("var/lib/etcd/member"), { recursive: true });
    const { kubeletConf, adminConf, etcdData, kubeletServer, swap } = await observe();
    assert.deepEqual(
      { kubeletConf, adminConf, etcdData, kubeletServer, swap },
      {
        kubeletConf: true,
        adminConf: true,
        etcdData: true,
        kubeletServer: "https://10.0.20.100:6443",
        swap: true,
      },
    );
  });

  it("tells which checkpoint's guard keeps its server down, in another boot than the guard's own", async () => {
    const guard =
      "# Written by Triad: checkpoint triad-1.\nExecCondition=grep -qsx boot-1 /proc/x\n";
    root.write("etc/systemd/system/kubelet.service.d/91-triad-checkpoint.conf", guard);
    root.write("proc/sys/kernel/random/boot_id", "boot-1\n");
    assert.equal((await observe())["heldBack"], "");
    root.write("proc/sys/kernel/random/boot_id", "boot-2\n");
    assert.equal((await observe())["heldBack"], "triad-1");
  });

  describe("of k3s", () => {
    const db = "var/lib/rancher/k3s/server/db";
    function unit(name: string): void {
      root.write(`etc/systemd/system/${name}.service`, "[Service]\nExecStart=/usr/local/bin/k3s\n");
    }
    beforeEach(() => {
      root.command(
        "k3s",
        `[[ $1 == --version ]] && printf 'k3s version v1.33.5+k3s1 (x)\\ngo x\\n'`,
      );
      root.command("ss", "true");
    });

    const cases: [what: string, prepare: () => void, expected: object][] = [
      [
        "a program that nobody has set up",
        () => undefined,
        { role: "none", version: "", datastore: "none", staleEtcd: false },
      ],
      [
        "an agent, whatever an earlier life as a server left",
        () => {
          unit("k3s-agent");
          root.write(`${db}/state.db`, "");
        },
        { role: "agent", version: "v1.33.5+k3s1", datastore: "none", staleEtcd: false },
      ],
      [
        "a server on SQLite",
        () => {
          unit("k3s");
          root.write(`${db}/state.db`, "");
        },
        { role: "server", version: "v1.33.5+k3s1", datastore: "sqlite", staleEtcd: false },
      ],
      [
        "a server on etcd",
        () => {
          unit("k3s");
          root.write(`${db}/state.db.migrated`, "");
          root.write(`${db}/etcd/member/wal/0.wal`, "");
        },
        { role: "server", version: "v1.33.5+k3s1", datastore: "etcd", staleEtcd: false },
      ],
      [
        "a server on SQLite with a stale etcd beside it",
        () => {
          unit("k3s");
          root.write(`${db}/state.db`, "");
          root.write(`${db}/etcd/member/wal/0.wal`, "");
        },
        { role: "server", version: "v1.33.5+k3s1", datastore: "sqlite", staleEtcd: true },
      ],
      [
        "a conversion under way, which is nothing stale",
        () => {
          unit("k3s");
          root.write(`${db}/state.db`, "");
          root.write(`${db}/etcd/member/wal/0.wal`, "");
          root.write("var/lib/triad/conversion/phase", "copying\n");
        },
        { role: "server", version: "v1.33.5+k3s1", datastore: "sqlite", staleEtcd: false },
      ],
      [
        "a server that has started from an etcd beside SQLite",
        () => {
          unit("k3s");
          root.write(`${db}/state.db`, "");
          root.write(`${db}/etcd/member/wal/0.wal`, "");
          root.command(
            "ss",
            `printf 'LISTEN 0 9 127.0.0.1:2379 0.0.0.0:* users:(("k3s-server",pid=1,fd=2))\\n'`,
          );
        },
        { role: "server", version: "v1.33.5+k3s1", datastore: "etcd", staleEtcd: false },
      ],
    ];
    for (const [what, prepare, expected] of cases) {
      it(`tells ${what}`, async () => {
        prepare();
        assert.deepEqual((await observe())["k3s"], expected);
      });
    }
  });

  it("tells who listens, each port once", async () => {
    const server = createServer();
    const port = await listen(server);

    const second = createServer();
    await new Promise<void>((resolve) => second.listen(port, "127.0.0.2", resolve));
    const listeners = z
      .array(z.object({ port: z.number(), process: z.string() }))
      .parse((await observe())["listeners"]);
    server.close();
    second.close();
    const found = listeners.filter((listener) => listener.port === port);
    assert.equal(found.length, 1);
    assert.match(found[0]?.process ?? "", /^(node|MainThread)$/);
  });

  it("reports the least free of the disks that matter", async () => {
    root.command("df", `printf ' Avail\\n41943040\\n31457280\\n'`);
    assert.equal((await observe())["diskFreeGiB"], 30);
  });

  it("changes nothing and takes less than a second", async () => {
    const before = execFileSync("find", [root.root, "-printf", "%p %T@\\n"], { encoding: "utf8" });
    const times: number[] = [];
    for (let run = 0; run < 3; run += 1) {
      const started = Date.now();
      await observe();
      times.push(Date.now() - started);
    }
    assert.equal(
      execFileSync("find", [root.root, "-printf", "%p %T@\\n"], { encoding: "utf8" }),
      before,
    );
    assert.ok(Math.min(...times) < 1000, times.join(" "));
  });
});
