import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { field } from "./support/field.ts";
import { FakeRoot } from "./support/fakeRoot.ts";
import { listen } from "./support/listen.ts";
import type { Place, Run } from "./support/runScript.ts";
import { runScript } from "./support/runScript.ts";

describe("scripts/preflight.sh", function () {
  this.timeout(20_000);
  this.slow(5000);

  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
    root.write("var/lib/.keep", "");
  });
  afterEach(() => {
    root.remove();
  });

  // A network whose neighbours never answer: a cable that ends nowhere.
  const wrapper = [
    "unshare",
    "--net",
    "bash",
    "-c",
    'ip link set lo up && ip link add name eth0 type veth peer name eth1 && ip address add 10.77.0.1/24 dev eth0 && ip link set eth0 up && ip link set eth1 up && exec "$@"',
    "wrapper",
  ];

  async function script(
    variables: Record<string, string>,
    place: Partial<Place> = {},
  ): Promise<Run> {
    return await runScript("preflight.sh", "ensure", variables, { ...root, ...place });
  }

  describe("reachability", () => {
    let server: Server;
    let port: number;
    before(async () => {
      server = createServer((socket) => socket.destroy());
      port = await listen(server);
    });
    after(() => {
      server.close();
    });

    it("counts a peer that answers and one that refuses as reached", async () => {
      const { result, stderr } = await script({ PEERS: `127.0.0.1:${port} 127.0.0.1:1` });
      assert.deepEqual(result, { changed: false, fsyncP99Ms: null, reached: 2 }, stderr);
    });

    it("names every peer that is silent, and waits for all of them together", async () => {
      const silent = Array.from({ length: 6 }, (_, index) => `10.77.0.${10 + index}:6443`);
      const started = Date.now();
      const { exitCode, stderr, stdout } = await script(
        { PEERS: `127.0.0.1:1 ${silent.join(" ")}`, CONNECT_SECONDS: "1" },
        { wrapper },
      );
      assert.equal(exitCode, 1);
      assert.equal(stdout, "");
      for (const peer of silent)
        assert.ok(stderr.includes(`${peer} does not answer within 1 s`), stderr);
      assert.doesNotMatch(stderr, /127\.0\.0\.1:1/);
      assert.match(stderr, /what to do: open them in the firewall between/);
      assert.ok(Date.now() - started < 5000);
    });

    it("says when there is no way to a peer at all", async () => {
      const { exitCode, stderr } = await script({ PEERS: "192.0.2.1:6443" }, { wrapper });
      assert.equal(exitCode, 1);
      assert.match(stderr, /192\.0\.2\.1:6443: Network is unreachable/);
    });
  });

  describe("disk", () => {
    it("measures a write to the disk, and leaves nothing there", async () => {
      const started = Date.now();
      const { result, stderr } = await script({ FSYNC_WARNING_MS: "100000" });
      const fsyncP99Ms = field(result, "fsyncP99Ms");
      assert.ok(typeof fsyncP99Ms === "number" && fsyncP99Ms > 0 && fsyncP99Ms < 100_000, stderr);
      assert.equal(stderr, "");
      assert.ok(Date.now() - started < 8000);
      assert.deepEqual(readdirSync(root.at("var/lib")), [".keep"]);
    });

    it("warns over the limit, and goes on", async () => {
      const { exitCode, stderr } = await script({
        FSYNC_WARNING_MS: "0.000001",
        FSYNC_DIRECTORY: root.root,
      });
      assert.equal(exitCode, 0);
      assert.match(
        stderr,
        /warning: one write in a hundred takes [\d.]+ ms or more to reach the disk \(over 0\.000001\)/,
      );
    });

    it("says so when it cannot write there", async () => {
      const { exitCode, stderr } = await script({
        FSYNC_WARNING_MS: "10",
        FSYNC_DIRECTORY: "/proc",
      });
      assert.equal(exitCode, 1);
      assert.match(stderr, /\/proc\/\.triad-fsync/);
    });
  });
});
