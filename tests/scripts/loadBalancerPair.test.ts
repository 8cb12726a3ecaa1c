import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import * as z from "zod";
import { LoadBalancerPair, sides } from "./support/loadBalancerPair.ts";
import { endUnit, unitPid } from "./support/units.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const outcome = z.object({
  asked: z.number(),
  failed: z.number(),
  keptFailed: z.number(),
  keptSlowestMs: z.number(),
});

/** The tests go on from one another, as the life of two machines does. */
describe("scripts/haproxy.sh and scripts/keepalived.sh on two machines", function () {
  this.timeout(60_000);
  this.slow(8000);

  let pair: LoadBalancerPair;
  before(async () => {
    pair = new LoadBalancerPair();
    await pair.start();
  });
  after(async () => {
    await pair.stop();
  });

  it("one holds the address and answers; the other listens on it too, without having it", async () => {
    const holder = await pair.settled();
    assert.deepEqual(await pair.succeed("keepalived.sh", "check", holder), {
      changed: false,
      active: true,
      holder: true,
    });
    const standby = pair.other(holder);
    assert.deepEqual(await pair.succeed("keepalived.sh", "check", standby), {
      changed: false,
      active: true,
      holder: false,
    });
    const inStandby = (...args: string[]): string => pair.network.output(standby, ...args);
    assert.match(inStandby("ss", "-Hltn"), /10\.77\.0\.99:6443/);
    assert.equal(inStandby("cat", "/proc/sys/net/ipv4/ip_nonlocal_bind").trim(), "0");
  });

  it("a second ensure changes, reloads and restarts nothing", async () => {
    const pids = sides.map((side) => unitPid(pair.roots[side], "keepalived"));
    for (const side of sides) {
      assert.deepEqual(await pair.succeed("keepalived.sh", "ensure", side), {
        changed: false,
        interface: "eth0",
      });
      assert.equal(pair.reloads(side), 0);
    }
    assert.deepEqual(
      sides.map((side) => unitPid(pair.roots[side], "keepalived")),
      pids,
    );
  });

  it("a changed value is reloaded, and the address stays where it is", async () => {
    const holder = await pair.settled();
    for (const side of [holder, pair.other(holder)]) {
      await pair.succeed("keepalived.sh", "ensure", side, {
        PRIORITY: side === holder ? "90" : "120",
      });
      assert.equal(pair.reloads(side), 1);
    }
    await pause(500);
    assert.equal(await pair.settled(), holder);
  });

  it("the other takes over when HAProxy dies, and keeps the address when it is back", async () => {
    const holder = await pair.settled();
    await endUnit(pair.roots[holder], "haproxy");
    const tookMs = await pair.until("a takeover", () => pair.holders() === pair.other(holder));
    assert.ok(tookMs < 2500, `${tookMs} ms`);
    assert.match(pair.curl(pair.virtualAddress), /^[st]$/);
    await pair.succeed("haproxy.sh", "ensure", holder);
    await pause(3500);
    assert.equal(await pair.settled(), pair.other(holder));
  });

  it("the other takes over within a second when the holder is cut off, and one alone holds it after", async () => {
    const holder = await pair.settled();
    pair.network.setLink(holder, "down");
    const tookMs = await pair.until("a takeover", () =>
      pair.holders().includes(pair.other(holder)),
    );
    assert.ok(tookMs < 1500, `${tookMs} ms`);
    await pair.until("an answer", () => pair.curl(pair.virtualAddress) !== "", 2000);
    pair.network.setLink(holder, "up");
    await pair.settled();
  });

  it("a server that is cut off costs hardly a new connection, and its clients come again soon", async () => {
    await pair.settled();
    const asker = pair.network.spawn(
      "hub",
      ...["askOverAndOver.ts", pair.virtualAddress, "6443", "t", "6000"],
    );
    assert.ok(asker.stdout);
    asker.stdout.setEncoding("utf8");
    let output = "";
    asker.stdout.on("data", (text: string) => (output += text));
    await pair.until("a connection", () => output.includes("ready"), 20_000);
    await pause(500);
    pair.network.setLink("t", "down");
    await new Promise((resolve) => asker.on("close", resolve));
    pair.network.setLink("t", "up");
    const seen = outcome.parse(JSON.parse(output.replace("ready\n", "")));
    // Lost are those that were with the server when it went, and those on their way to it when it is marked down.
    assert.ok(seen.asked > 20 && seen.failed <= 4 && seen.keptFailed === 1, output);
    assert.ok(seen.keptSlowestMs < 3000, output);
  });

  /** Asks for the API over and over while something happens. */
  async function asking(happens: () => Promise<void>): Promise<z.infer<typeof outcome>> {
    const asker = pair.network.spawn(
      "hub",
      ...["askOverAndOver.ts", pair.virtualAddress, "6443", "s", "25000"],
    );
    assert.ok(asker.stdout);
    asker.stdout.setEncoding("utf8");
    let output = "";
    asker.stdout.on("data", (text: string) => (output += text));
    await pair.until("a connection", () => output.includes("ready"), 20_000);
    const ended = new Promise((resolve) => asker.on("close", resolve));
    await happens();
    await ended;
    return outcome.parse(JSON.parse(output.replace("ready\n", "")));
  }

  it("both removed at the same moment, the holder goes on, and nobody notices", async () => {
    const holder = await pair.settled();
    const standby = pair.other(holder);
    const kept = { changed: false, kept: true };
    const seen = await asking(async () => {
      const answers = await Promise.all([
        pair.succeed("keepalived.sh", "remove", holder),
        pair.succeed("keepalived.sh", "remove", standby),
      ]);
      assert.deepEqual(answers, [kept, { changed: true }]);
      assert.deepEqual(await pair.succeed("haproxy.sh", "remove", holder), kept);
      assert.deepEqual(await pair.succeed("haproxy.sh", "remove", standby), { changed: true });
    });
    assert.equal(await pair.settled(), holder);
    assert.deepEqual([seen.failed, seen.keptFailed], [0, 0]);
    assert.ok(!existsSync(pair.roots[standby].at("etc/haproxy/haproxy.cfg")));
  });

  it("comes back beside it", async () => {
    const holder = await pair.settled();
    const standby = pair.other(holder);
    await pair.succeed("haproxy.sh", "ensure", standby);
    await pair.succeed("keepalived.sh", "ensure", standby);
    assert.equal(await pair.settled(), holder);
  });

  it("a holder that is taken away hands the address over at once when it goes", async () => {
    const holder = await pair.settled();
    const standby = pair.other(holder);
    const started = Date.now();
    const removal = pair.succeed("keepalived.sh", "remove", holder, { YIELD_SECONDS: "0" });
    await pair.until("a takeover", () => pair.holders() === standby);
    const tookMs = Date.now() - started;
    assert.deepEqual(await removal, { changed: true });
    assert.ok(tookMs < 2500, `${tookMs} ms`);
    assert.ok(!existsSync(pair.roots[holder].at("etc/keepalived/keepalived.conf")));
    assert.deepEqual(await pair.succeed("keepalived.sh", "remove", holder), { changed: false });
    assert.match(pair.curl(pair.virtualAddress), /^[st]$/);
  });

  it("the last load balancer goes on, HAProxy too, and does not even stop; wiping takes it", async () => {
    const holder = await pair.settled();
    await pair.succeed("haproxy.sh", "remove", pair.other(holder));
    const pid = unitPid(pair.roots[holder], "keepalived");
    const kept = { changed: false, kept: true };
    for (const ON_DESTROY of ["", "leave", "forget"]) {
      assert.deepEqual(await pair.succeed("keepalived.sh", "remove", holder, { ON_DESTROY }), kept);
      assert.deepEqual(await pair.succeed("haproxy.sh", "remove", holder, { ON_DESTROY }), kept);
    }
    assert.equal(await pair.settled(), holder);
    assert.equal(unitPid(pair.roots[holder], "keepalived"), pid);
    const wipe = { ON_DESTROY: "wipe" };
    for (const script of ["keepalived.sh", "haproxy.sh"] as const) {
      assert.deepEqual(await pair.succeed(script, "remove", holder, wipe), { changed: true });
    }
    assert.equal(pair.holders(), "");
    assert.ok(!existsSync(pair.roots[holder].at("var/lib/triad")));
  });
});
