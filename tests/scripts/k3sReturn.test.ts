import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { K3sBench } from "./support/k3sBench.ts";

const guard = "usr/local/lib/triad/k3s-return-guard";
const server = "var/lib/rancher/k3s/server";
const variables = { ENDPOINT: "192.168.1.50:6443" };

describe("scripts/k3s-return.sh", function () {
  this.timeout(30_000);
  this.slow(4000);
  let bench: K3sBench;
  beforeEach(async () => {
    bench = new K3sBench();
    bench.root.write(`${server}/db/etcd/member/wal/0.wal`, "");
    bench.root.write(`${server}/db/etcd/name`, "hp-1a2b3c4d");
    bench.root.write(`${server}/token`, `K10${"0".repeat(64)}::server:se"cr\\et\n`);
    bench.root.recorded(
      "curl",
      `cat >"$TRIAD_ROOT/told"; cat "$TRIAD_ROOT/list" 2>/dev/null || exit 7`,
    );
    await bench.succeed("k3s-return.sh", "ensure", variables);
  });
  afterEach(() => {
    bench.stop();
  });

  const list = (...names: string[]): void =>
    bench.root.write(
      "list",
      JSON.stringify({
        members: names.map((name, index) => ({
          ID: index,
          ...(name === "" ? {} : { name }),
          peerURLs: [`https://192.168.1.${index}:2380`],
        })),
      }),
    );

  /** Whether k3s starts, and why not. */
  function starts(): string {
    const { status, stderr } = spawnSync(bench.root.at(guard), {
      env: { PATH: `${bench.root.commands}:/usr/bin:/bin`, TRIAD_ROOT: bench.root.root },
      encoding: "utf8",
    });
    return status === 0 ? "starts" : stderr;
  }

  it("is part of every start, and nothing restarts when it comes", async () => {
    const path = "etc/systemd/system/k3s.service.d/55-triad-return.conf";
    assert.match(bench.root.read(path), /^ExecStartPre=\S+k3s-return-guard$/m);
    assert.deepEqual(bench.did("start", "stop", "restart"), []);
    assert.deepEqual(await bench.succeed("k3s-return.sh", "ensure", variables), {
      changed: false,
    });
    await bench.succeed("k3s-return.sh", "remove");
    assert.deepEqual(await bench.succeed("k3s-return.sh", "check"), { installed: false });
  });

  it("a server that was removed while it was off does not start, and says what to do", () => {
    list("thinkpad-00000000", "shuttle-11111111");
    assert.match(starts(), /has removed this server[^]*triad:servers/);
  });

  it("also where another life of it is a member", () => {
    list("thinkpad-00000000", "hp-99999999");
    assert.match(starts(), /has removed this server/);
  });

  const passes: [string, () => void][] = [
    ["a member", () => list("thinkpad-00000000", "hp-1a2b3c4d")],
    ["one that has been added and is not known by name yet", () => list("thinkpad-00000000", "")],
    ["one whose cluster does not answer", () => undefined],
    ["one that gets another answer", () => bench.root.write("list", '{"message":"no"}')],
    ["one that gets an empty list", () => list()],
    [
      "one without data",
      () => rmSync(bench.root.at(`${server}/db/etcd/member`), { recursive: true }),
    ],
  ];
  for (const [who, arrange] of passes) {
    it(`${who} starts`, () => {
      if (who === "one without data") list("thinkpad-00000000");
      arrange();
      assert.equal(starts(), "starts");
    });
  }

  it("shows the token to nobody: it goes to curl by its standard input", () => {
    list("thinkpad-00000000");
    starts();
    assert.equal(bench.root.read("told"), 'user = "server:se\\"cr\\\\et"\n');
    assert.ok(bench.root.calls("curl").every((call) => !call.includes("server:")));
    assert.match(
      bench.root.calls("curl").at(-1) ?? "",
      /https:\/\/192\.168\.1\.50:6443\/db\/info$/,
    );
  });
});
