import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { field } from "./support/field.ts";
import { HaproxyBench, port } from "./support/haproxyBench.ts";
import { unitPid } from "./support/units.ts";

describe("scripts/haproxy.sh: configuration", function () {
  this.timeout(40_000);
  this.slow(5000);
  // What is waited for here takes its time by the clock, however busy the computer is.
  this.retries(2);

  let bench: HaproxyBench;
  beforeEach(async () => {
    bench = new HaproxyBench();
    await bench.start();
  });
  afterEach(async () => {
    await bench.stop();
  });

  it("writes the whole configuration, for the real HAProxy to accept", async () => {
    await bench.succeed("ensure");
    const config = bench.configuration();
    const golden = new URL("./golden/haproxy.cfg", import.meta.url);
    if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(golden, config);
    assert.equal(config, readFileSync(golden, "utf8"));
    assert.equal(statSync(bench.root.at("etc/haproxy/haproxy.cfg")).mode & 0o777, 0o640);
    assert.equal(statSync(bench.root.at("run/haproxy/triad.sock")).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(bench.root.at("etc/haproxy")), ["haproxy.cfg"]);
  });

  it("follows the list: a new server enters disabled, one that left is forgotten", async () => {
    await bench.succeed("ensure", { SERVERS: `a=${bench.net}.1` });
    await bench.apis.b.start();
    await bench.succeed("ensure");
    assert.equal(await bench.states(), "a ready UP, b disabled DOWN, c disabled DOWN");
    await bench.succeed("enable", { SERVER: "b" });
    await bench.succeed("ensure", { SERVERS: `a=${bench.net}.1 c=${bench.net}.3` });
    assert.equal(await bench.states(), "a ready UP, c disabled DOWN");
    assert.deepEqual(readdirSync(bench.root.at("var/lib/triad/haproxy")), ["a", "c"]);
    await bench.succeed("ensure");
    assert.equal(await bench.states(), "a ready UP, b disabled DOWN, c disabled DOWN");
    assert.equal(bench.reloads(), 3);
  });

  it("changes nothing and reloads nothing when run again", async () => {
    assert.deepEqual(await bench.succeed("ensure"), { changed: true });
    const pid = unitPid(bench.root, "haproxy");
    assert.deepEqual(await bench.succeed("ensure"), { changed: false });
    await Promise.all([bench.apis.b.start(), bench.apis.c.start()]);
    await bench.succeed("enable", { SERVER: "b" });
    assert.deepEqual(await bench.succeed("enable", { SERVER: "b" }), {
      changed: false,
      server: "b",
      state: "UP",
    });
    await bench.succeed("drain", { SERVER: "a" });
    assert.deepEqual(await bench.succeed("drain", { SERVER: "a" }), {
      changed: false,
      server: "a",
      state: "DRAIN",
    });
    assert.deepEqual(await bench.succeed("ensure"), { changed: false });
    assert.equal(unitPid(bench.root, "haproxy"), pid);
    assert.equal(bench.reloads(), 0);
    assert.deepEqual(await bench.succeed("check"), {
      changed: false,
      current: true,
      servers: [
        { name: "a", address: `${bench.net}.1:${port}`, admin: "drain", health: "UP" },
        { name: "b", address: `${bench.net}.2:${port}`, admin: "ready", health: "UP" },
        { name: "c", address: `${bench.net}.3:${port}`, admin: "disabled", health: "DOWN" },
      ],
    });
  });

  it("notices a run that was cut between writing and reloading", async () => {
    await bench.succeed("ensure");
    bench.root.command(
      "systemctl-real",
      readFileSync(bench.root.at("stub-commands/systemctl"), "utf8").replace("#!/bin/bash\n", ""),
    );
    bench.root.command("systemctl", `[[ $1 != reload ]] || exit 1; exec systemctl-real "$@"`);
    assert.equal((await bench.script("ensure", { STATS_PASSWORD: "another" })).exitCode, 1);
    bench.root.command("systemctl", `exec systemctl-real "$@"`);
    assert.equal(
      field(await bench.succeed("check", { STATS_PASSWORD: "another" }), "current"),
      false,
    );
    assert.deepEqual(await bench.succeed("ensure", { STATS_PASSWORD: "another" }), {
      changed: true,
    });
    assert.deepEqual(await bench.succeed("ensure", { STATS_PASSWORD: "another" }), {
      changed: false,
    });
  });

  it("leaves the running HAProxy alone when the new configuration is no good", async () => {
    await bench.succeed("ensure");
    const before = bench.root.read("etc/haproxy/haproxy.cfg");
    const { exitCode, stderr } = await bench.script("ensure", { ENDPOINT_PORT: "99999" });
    assert.equal(exitCode, 1);
    assert.match(stderr, /HAProxy refuses the configuration/);
    assert.equal(bench.root.read("etc/haproxy/haproxy.cfg"), before);
    assert.equal(await bench.answering(), "a");
    for (const changes of [{ SERVERS: "a=;rm" }, { STATS_PASSWORD: "a\nb" }, { SERVERS: "" }]) {
      assert.equal((await bench.script("ensure", changes)).exitCode, 1);
    }
  });

  it("asks for the password on the statistics page, and shows it to nobody", async () => {
    bench.root.recorded("haproxy", `exec /usr/sbin/haproxy "$@"`);
    const run = await bench.script("ensure");
    const status = async (authorization?: string): Promise<number> =>
      (
        await fetch(
          `http://${bench.net}.97:8404/`,
          authorization === undefined ? {} : { headers: { authorization } },
        )
      ).status;
    assert.equal(await status(), 401);
    assert.equal(
      await status(
        `Basic ${Buffer.from(`triad:${bench.variables.STATS_PASSWORD}`).toString("base64")}`,
      ),
      200,
    );
    const seen = [
      run.stdout,
      run.stderr,
      bench.log(),
      ...bench.root.calls("haproxy"),
      ...bench.root.calls("systemctl"),
    ].join("\n");
    assert.doesNotMatch(seen, /horse/);
  });

  it("keeps what was there before aside, once, and brings it back when it goes", async () => {
    bench.root.write("etc/haproxy/haproxy.cfg", "# the distribution's\n");
    await bench.succeed("ensure");
    await bench.succeed("ensure", { STATS_PASSWORD: "another" });
    assert.equal(bench.root.read("etc/haproxy/haproxy.cfg.before-triad"), "# the distribution's\n");
    assert.deepEqual(await bench.succeed("remove"), { changed: true });
    assert.equal(bench.root.read("etc/haproxy/haproxy.cfg"), "# the distribution's\n");
    assert.ok(!existsSync(bench.root.at("var/lib/triad/haproxy")));
    assert.deepEqual(await bench.succeed("remove"), { changed: false });
    assert.equal(
      bench.root.calls("systemctl").filter((call) => call === "disable --now haproxy").length,
      1,
    );
  });

  it("is set up again beside the traces of its former life, where another HAProxy went on", async () => {
    const { root, net } = bench;
    const times = ["connect", "client", "server"].map((side) => `  timeout ${side} 1s\n`).join("");
    root.write("etc/haproxy/haproxy.cfg", `defaults\n${times}listen own\n  bind ${net}.96:26444\n`);
    const env = { PATH: process.env["PATH"], TRIAD_ROOT: root.root };
    execFileSync(join(root.commands, "systemctl"), ["enable", "--now", "haproxy"], { env });
    await bench.succeed("ensure");
    const socket = root.at("run/haproxy/triad.sock");
    await bench.succeed("remove");
    assert.ok(!existsSync(socket));
    // As one leaves it that was killed.
    const listen = `net.createServer().listen("${socket}", () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", listen]);
    assert.ok(existsSync(socket));
    await bench.succeed("ensure");
    assert.equal(await bench.ask(), "a");
  });
});
