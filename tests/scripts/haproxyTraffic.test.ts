import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { connect } from "node:tls";
import { HaproxyBench, port } from "./support/haproxyBench.ts";
import { endUnit } from "./support/units.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("scripts/haproxy.sh: traffic", function () {
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

  it("sends everybody to the initial server until another is enabled", async () => {
    await bench.succeed("ensure");
    assert.equal(await bench.states(), "a ready UP, b disabled DOWN, c disabled DOWN");
    await Promise.all([bench.apis.b.start(), bench.apis.c.start()]);
    assert.equal(await bench.answering(), "a");
    assert.deepEqual(await bench.succeed("enable", { SERVER: "b" }), {
      changed: true,
      server: "b",
      state: "UP",
    });
    assert.equal(await bench.answering(), "ab");
    assert.equal(bench.reloads(), 0);
  });

  it("on its first install uses every server that serves the API already", async () => {
    await bench.apis.c.start();
    await bench.succeed("ensure");
    assert.equal(await bench.states(), "a ready UP, b disabled DOWN, c ready UP");
    await bench.apis.b.start();
    await bench.succeed("ensure");
    assert.equal(await bench.states(), "a ready UP, b disabled DOWN, c ready UP");
  });

  it("remembers who is enabled and who is drained over a reload and a restart", async () => {
    await bench.succeed("ensure");
    await Promise.all([bench.apis.b.start(), bench.apis.c.start()]);
    await bench.succeed("enable", { SERVER: "b" });
    await bench.succeed("drain", { SERVER: "a" });
    assert.equal(await bench.answering(), "b");

    await bench.succeed("ensure", { STATS_PASSWORD: "another" });
    assert.equal(bench.reloads(), 1);
    assert.equal(await bench.states(), "a disabled DOWN, b ready UP, c disabled DOWN");
    assert.equal(await bench.answering(), "b");

    // As after a power cut: nothing but the files.
    await endUnit(bench.root, "haproxy");
    assert.deepEqual(await bench.succeed("ensure", { STATS_PASSWORD: "another" }), {
      changed: true,
    });
    assert.equal(await bench.states(), "a disabled DOWN, b ready UP, c disabled DOWN");
    assert.equal(await bench.answering(), "b");
    await bench.succeed("enable", { SERVER: "a" });
    assert.equal(await bench.answering(), "ab");
  });

  it("does not enable a server that is not ready without saying so, but lets it in when it is", async () => {
    await bench.succeed("ensure");
    const { exitCode, stderr, stdout } = await bench.script("enable", {
      SERVER: "b",
      READY_SECONDS: "1",
    });
    assert.equal(exitCode, 1);
    assert.match(stderr, /b is enabled, but does not serve: \/readyz: 000 .*connect/);
    assert.equal(stdout, "");
    await bench.apis.b.start();
    await bench.settle("a ready UP, b ready UP, c disabled DOWN");
  });

  it("refuses to drain the only server that serves", async () => {
    await bench.succeed("ensure");
    const last = await bench.script("drain", { SERVER: "a" });
    assert.equal(last.exitCode, 1);
    assert.match(last.stderr, /a is the only server that takes connections here/);
    assert.equal(await bench.states(), "a ready UP, b disabled DOWN, c disabled DOWN");
  });

  it("cannot enable a server that it does not know; one that left needs no draining", async () => {
    await bench.succeed("ensure");
    const unknown = await bench.script("enable", { SERVER: "z" });
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /has no server z/);
    assert.deepEqual(await bench.succeed("drain", { SERVER: "z" }), {
      changed: false,
      server: "z",
      state: "ABSENT",
    });
  });

  it("carries health over a reload, instead of calling a dead server UP", async () => {
    await bench.apis.b.start();
    await bench.succeed("ensure");
    await bench.apis.b.stop();
    await bench.settle("a ready UP, b ready DOWN, c disabled DOWN");
    await bench.succeed("ensure", { STATS_PASSWORD: "another" });
    assert.match(bench.log(), /ready\/b is DOWN, changed from server-state/);
    assert.ok(
      !existsSync(bench.root.at("run/haproxy/triad.health")),
      "a later restart would read it",
    );
  });

  it("loses no question while a server dies, is reloaded away from, or is drained", async () => {
    await Promise.all([bench.apis.b.start(), bench.apis.c.start()]);
    await bench.succeed("ensure");
    let [asked, going] = [0, true];
    const failures: unknown[] = [];
    const asking = (async () => {
      while (going) {
        asked += 1;
        await bench.ask().catch((error: unknown) => failures.push(error));
        await pause(10);
      }
    })();
    await bench.apis.b.stop();
    await bench.settle("a ready UP, b ready DOWN, c ready UP");
    await bench.succeed("ensure", { STATS_PASSWORD: "another" });
    await bench.succeed("drain", { SERVER: "a" });
    await bench.apis.a.stop();
    await bench.apis.b.start();
    await pause(1000);
    going = false;
    await asking;
    assert.ok(asked > 50, `${asked} questions`);
    // The one that was inside a server when it died cannot be saved by a balancer that only passes bytes on.
    assert.ok(failures.length <= 1, failures.join("\n"));
  });

  it("cuts the connections to a server that died, and leaves those of a drained one", async () => {
    await bench.apis.b.start();
    await bench.succeed("ensure");
    await bench.succeed("drain", { SERVER: "a" });
    const socket = connect({ host: bench.endpoint, port, rejectUnauthorized: false });
    const closed = new Promise<number>((resolve) => socket.on("close", () => resolve(Date.now())));
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.on("secureConnect", resolve));
    await bench.succeed("enable", { SERVER: "a" });
    await bench.succeed("drain", { SERVER: "b" });
    await pause(1000);
    assert.equal(socket.destroyed, false);
    // Accepts, but is silent: only HAProxy's check can tell.
    bench.apis.b.delayMs = 60_000;
    const started = Date.now();
    assert.ok((await closed) - started < 6000);
  });

  it("goes on asking someone when etcd has no leader and no server is ready", async () => {
    await Promise.all([bench.apis.b.start(), bench.apis.c.start()]);
    await bench.succeed("ensure");
    for (const api of Object.values(bench.apis)) api.etcd = false;
    await bench.settle("a ready DOWN, b ready DOWN, c ready DOWN");
    assert.equal(await bench.answering(), "abc");
  });

  it("keeps the servers while an election, or a busy machine, makes their answers slow", async () => {
    await bench.apis.b.start();
    await bench.succeed("ensure");
    bench.apis.a.delayMs = 1000;
    bench.apis.b.handshakeDelayMs = 600;
    await pause(3500);
    assert.equal(await bench.states(), "a ready UP, b ready UP, c disabled DOWN", bench.log());
  });
});
