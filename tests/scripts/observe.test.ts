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
